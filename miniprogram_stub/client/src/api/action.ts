// What a screen does: one command at a time, under one idempotency key until its outcome is known.
import { ref, shallowRef } from 'vue'
import type { Operation } from '@/api/documents'
import type { Sending } from '@/api/exchange'
import { Failure, failureOf } from '@/api/failure'
import { newKey } from '@/api/keys'
import { ask } from '@/api/transport'

/** What every payload of the API says about failure. */
export interface Payload {
  errors: { code: string; message: string; field?: string[] | null }[]
}

/**
 * A command.
 *
 * `run` gives the payload, or null where it did not work out; then `failure` says why and `fields` which values are
 * to blame, by the name below `input`. While nobody knows whether it was done, the next `run` of the same sends
 * the same key: it counts once, whichever picture goes along.
 *
 * @param payload the one field of the answer
 * @param isRepeatable whether it is sent again where no answer came, since twice comes to the same; by itself where the input
 *   carries an idempotency key. False for what is worth nothing later, key or not
 */
export function useAction<Result, Variables, Answer extends Payload>(
  document: Operation<Result, Variables>,
  payload: (answer: Result) => Answer,
  isRepeatable: boolean | 'ifKeyed' = 'ifKeyed',
) {
  const isBusy = ref(false)
  const failure = shallowRef<Failure | null>(null)
  const fields = ref<Record<string, string>>({})
  let pending = { body: '', key: '' }

  async function run(variables: (key: string) => Variables, sending?: Sending): Promise<Answer | null> {
    if (isBusy.value) return null
    isBusy.value = true
    clear()
    const body = JSON.stringify(variables(''))
    if (body !== pending.body) pending = { body, key: newKey() }
    const sent = variables(pending.key)
    const isKeyed = JSON.stringify(sent) !== body
    try {
      const answer = payload(await ask(document, sent, isRepeatable === 'ifKeyed' ? isKeyed : isRepeatable, sending))
      pending = { body: '', key: '' }
      if (answer.errors.length === 0) return answer
      refuse(answer.errors)
    } catch (thrown) {
      failure.value = failureOf(thrown)
      if (!failure.value.isOnTheWay) pending = { body: '', key: '' }
    } finally {
      isBusy.value = false
    }
    return null
  }

  function refuse(errors: Payload['errors']): void {
    const [first] = errors
    failure.value = new Failure(first!.code, first!.message)
    fields.value = Object.fromEntries(errors.filter((each) => each.field?.length).map((each) => [each.field!.join('.'), each.message]))
  }

  /** Take what was said of the last try away, as when the person changes what they typed. */
  function clear(): void {
    failure.value = null
    fields.value = {}
  }

  return { isBusy, failure, fields, run, clear }
}
