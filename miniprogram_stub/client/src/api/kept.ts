// The last answer of each query, for reading without a network. It leaves the device with the session.
const PLACE = 'linli.kept.'
const ORDER = 'linli.kept'
const MOST = 60
let forgotten = 0

export interface Kept<Result> {
  data: Result
  /** When it was answered, in milliseconds since 1970. */
  at: number
}

/** Which session an answer is of: what was asked for before `forget` is not kept after it. */
export function sessionOfNow(): number {
  return forgotten
}

/** The key of a query with its variables. */
export function keyOf(documentId: string, variables: unknown): string {
  return `${documentId.slice(-16)}:${JSON.stringify(variables)}`
}

/** What was kept, or null. */
export function recall<Result>(key: string): Kept<Result> | null {
  return uni.getStorageSync(PLACE + key) || null
}

/** Keep an answer; beyond sixty the one that was written longest ago goes. A full storage keeps nothing. */
export function keep(key: string, data: unknown): void {
  const order = [key, ...keys().filter((each) => each !== key)]
  for (const old of order.splice(MOST)) uni.removeStorageSync(PLACE + old)
  try {
    uni.setStorageSync(PLACE + key, { data, at: Date.now() })
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
