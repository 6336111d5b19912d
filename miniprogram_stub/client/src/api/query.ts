// What a screen reads: the kept answer at once, then the server's.
import { computed, ref, shallowRef, watch } from 'vue'
import { type Operation, idOf } from '@/api/documents'
import { type Failure, failureOf } from '@/api/failure'
import { keep, keyOf, recall, sessionOfNow } from '@/api/kept'
import { ask } from '@/api/transport'
import { isOnline } from '@/shell/network'

/**
 * The answer to a query and how far it is.
 *
 * `data` is the answer, kept or fresh, null before there is any; `keptAt` is set while what is shown was kept and the
 * server could not be asked; `failure` is why there is no fresh answer. Call `refresh` when the page is shown.
 *
 * @param isKept false for what is not to lie on the device, such as the number of a document
 */
export function useQuery<Result, Variables>(document: Operation<Result, Variables>, variables: () => Variables, isKept = true) {
  const data = shallowRef<Result | null>(null)
  const failure = shallowRef<Failure | null>(null)
  const isWaiting = ref(false)
  const answeredAt = ref(0)
  let current = ''
  let turn = 0

  function recalled(): void {
    const key = keyOf(idOf(document), variables())
    if (key === current && data.value) return
    const kept = isKept ? recall<Result>(key) : null
    current = key
    data.value = kept?.data ?? null
    answeredAt.value = kept?.at ?? 0
  }

  async function refresh(): Promise<void> {
    recalled()
    const mine = ++turn
    const session = sessionOfNow()
    isWaiting.value = true
    try {
      const answer = await ask(document, variables(), true)
      // Who signed in meanwhile is not shown what somebody else asked for.
      if (mine !== turn || session !== sessionOfNow()) return
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
    if (isKept) keep(current, answer)
  }

  // A page that takes its variables from its address asks as it is shown: the same need not be asked twice.
  watch(() => JSON.stringify(variables()), () => {
    if (!isWaiting.value || keyOf(idOf(document), variables()) !== current) void refresh()
  })
  watch(isOnline, (online) => {
    if (online && failure.value?.isOnTheWay) void refresh()
  })
  const keptAt = computed(() => (failure.value && data.value ? answeredAt.value : 0))
  return { data, failure, isWaiting, keptAt, refresh, show }
}

/** What a screen may do with a query. */
export type Query<Result, Variables = unknown> = ReturnType<typeof useQuery<Result, Variables>>
