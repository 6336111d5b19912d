// Ask the server: with the session's token, again where the network failed, and in words where it did not work out.
import { type Operation, idOf } from '@/api/documents'
import { type Enclosure, type Reply, exchange, failureIn } from '@/api/exchange'
import { Failure, failureOf } from '@/api/failure'
import { accessToken, end, refresh } from '@/api/session'

const PAUSES_MS = [400, 1_200]
const INVALID_TOKENS = new Set(['TOKEN_INVALID', 'TOKEN_EXPIRED', 'SESSION_ENDED'])

/**
 * The answer to an operation; Failure where there is none.
 *
 * @param isRepeatable whether the same may be sent again when no answer came: queries, and commands that carry an
 *   idempotency key or come to the same when done twice
 * @param enclosure a picture that goes along
 */
export async function ask<Result, Variables>(
  document: Operation<Result, Variables>,
  variables: Variables,
  isRepeatable: boolean,
  enclosure?: Enclosure,
): Promise<Result> {
  const reply = await persistently(() => withSession(idOf(document), variables, enclosure), isRepeatable ? PAUSES_MS : [])
  const failure = failureIn(reply)
  if (failure) throw failure
  return reply.data as Result
}

async function withSession(documentId: string, variables: unknown, enclosure?: Enclosure): Promise<Reply> {
  const token = await accessToken()
  const reply = await exchange(documentId, variables, token, enclosure)
  if (reply.status !== 401 || !token) return reply
  const refused = failureIn(reply)
  if (refused && !INVALID_TOKENS.has(refused.code)) return reply
  await refresh(token)
  const again = await exchange(documentId, variables, await accessToken(), enclosure)
  if (again.status !== 401) return again
  end()
  throw new Failure('SESSION_OVER')
}

async function persistently(send: () => Promise<Reply>, pauses: number[]): Promise<Reply> {
  try {
    return await send()
  } catch (thrown) {
    const [pause, ...rest] = pauses
    if (pause === undefined || !failureOf(thrown).isOnTheWay) throw thrown
    await new Promise((done) => setTimeout(done, pause * (0.75 + Math.random() / 2)))
    return await persistently(send, rest)
  }
}
