// What a screen reads: the kept answer at once, then the server's.
import { computed, ref, shallowRef, watch } from 'vue'
import { type Operation, idOf } from '@/api/documents'
import { type Failure, failureOf } from '@/api/failure'
import { keep, keyOf, recall } from '@/api/kept'
import { ask } from '@/api/transport'

/**
 * The answer to a query and how far it is.
 *
 * `data` is the answer, kept or fresh, null before there is any; `keptAt` is set while what is shown was kept and the
 * server could not be asked; `failure` is why there is no fresh answer. Call `refresh` when the page is shown.
 */
export function useQuery<Result, Variables>(document: Operation<Result, Variables>, variables: () => Variables) {
  const data = shallowRef<Result | null>(null)
  const failure = shallowRef<Failure | null>(null)
  const isWaiting = ref(false)
  const answeredAt = ref(0)
  let current = ''
  let turn = 0

  function recalled(): void {
    const key = keyOf(idOf(document), variables())
    if (key === current && data.value) return
    const kept = recall<Result>(key)
    current = key
    data.value = kept?.data ?? null
    answeredAt.value = kept?.at ?? 0
  }

  async function refresh(): Promise<void> {
    recalled()
    const mine = ++turn
    isWaiting.value = true
    try {
      const answer = await ask(document, variables(), true)
      if (mine !== turn) return
      show(answer)
      failure.value = null
    } catch (thrown) {
      if (mine === turn) failure.value = failureOf(thrown)
    } finally {
      if (mine === turn) isWaiting.value = false
    }
  }

  /** Show something else before the server has said so, and keep it. */
  function show(answer: Result): void {
    data.value = answer
    answeredAt.value = Date.now()
    keep(current, answer)
  }

  watch(() => JSON.stringify(variables()), () => void refresh())
  const keptAt = computed(() => (failure.value && data.value ? answeredAt.value : 0))
  return { data, failure, isWaiting, keptAt, refresh, show }
}

/** What a screen may do with a query. */
export type Query<Result, Variables = unknown> = ReturnType<typeof useQuery<Result, Variables>>
