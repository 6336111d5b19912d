// The last answer of each query, for reading without a network. It leaves the device with the session.
const PLACE = 'linli.kept.'
const ORDER = 'linli.kept'
const MOST = 60
let owner = ''
let forgotten = 0

export interface Kept<Result> {
  data: Result
  /** When it was answered, in milliseconds since 1970. */
  at: number
  /** Which sign-in it was answered to: windows share the place, and need not be signed in as the same. */
  owner: string
}

/** From now on what is kept and recalled is that of this sign-in. */
export function keepFor(signIn: string): void {
  owner = signIn
}

/** Which session an answer is of: what was asked for in another one, or before `forget`, is not kept in this one. */
export function sessionOfNow(): string {
  return `${owner}:${forgotten}`
}

/** The key of a query with its variables. */
export function keyOf(documentId: string, variables: unknown): string {
  return `${documentId.slice(-16)}:${JSON.stringify(variables)}`
}

/** What was kept, or null. */
export function recall<Result>(key: string): Kept<Result> | null {
  const found: Kept<Result> | '' = uni.getStorageSync(PLACE + key)
  return found && found.owner === owner ? found : null
}

/** Keep an answer; beyond sixty the one that was written longest ago goes. A full storage keeps nothing. */
export function keep(key: string, data: unknown): void {
  const order = [key, ...keys().filter((each) => each !== key)]
  for (const old of order.splice(MOST)) uni.removeStorageSync(PLACE + old)
  try {
    uni.setStorageSync(PLACE + key, { data, at: Date.now(), owner })
    uni.setStorageSync(ORDER, order)
  } catch {
    uni.removeStorageSync(PLACE + key)
  }
}

/** Forget everything, also what another window of the same browser kept. */
export function forget(): void {
  forgotten += 1
  for (const name of uni.getStorageInfoSync().keys) if (name.startsWith(ORDER)) uni.removeStorageSync(name)
}

function keys(): string[] {
  return uni.getStorageSync(ORDER) || []
}
