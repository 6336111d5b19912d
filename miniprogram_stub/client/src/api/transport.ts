// Ask the server: with the session's token, again where the network failed, and in words where it did not work out.
import { type Operation, idOf } from '@/api/documents'
import { type Reply, type Sending, exchange, failureIn } from '@/api/exchange'
import { Failure, failureOf } from '@/api/failure'
import { accessToken, end, owner, refresh } from '@/api/session'

const PAUSES_MS = [400, 1_200]
const INVALID_TOKENS = new Set(['TOKEN_INVALID', 'TOKEN_EXPIRED', 'SESSION_ENDED'])

/**
 * The answer to an operation; Failure where there is none.
 *
 * @param isRepeatable whether the same may be sent again when no answer came: queries, and commands that carry an
 *   idempotency key or come to the same when done twice
 */
export async function ask<Result, Variables>(
  document: Operation<Result, Variables>,
  variables: Variables,
  isRepeatable: boolean,
  sending?: Sending,
): Promise<Result> {
  const mine = owner.value
  const send = () => withSession(mine, idOf(document), variables, sending)
  const reply = await persistently(send, isRepeatable ? PAUSES_MS : [])
  const failure = failureIn(reply)
  if (failure) throw failure
  return reply.data as Result
}

async function withSession(mine: string, documentId: string, variables: unknown, sending?: Sending): Promise<Reply> {
  const token = await tokenOf(mine)
  const reply = await exchange(documentId, variables, token, sending)
  if (reply.status !== 401 || !token) return reply
  const refused = failureIn(reply)
  if (refused && !INVALID_TOKENS.has(refused.code)) return reply
  await refresh(token)
  const again = await exchange(documentId, variables, await tokenOf(mine), sending)
  if (again.status !== 401) return again
  if (owner.value === mine) end()
  throw new Failure('SESSION_OVER')
}

// What one person asked for is never sent as another, who signed in meanwhile, perhaps in another window.
async function tokenOf(mine: string): Promise<string> {
  const token = await accessToken()
  if (owner.value !== mine) throw new Failure('SESSION_OVER')
  return token
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
