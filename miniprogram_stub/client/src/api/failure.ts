/** A stable code of the server's. New ones may appear. */
export type Code = string

/** Why something could not be done, in words for the person and with a code to quote. */
export class Failure extends Error {
  /**
   * @param code of the server, or OFFLINE, TIMED_OUT, UNREADABLE for what happened on the way
   * @param text the server's message; empty where the client has words of its own, by the code
   * @param requestId what to quote when asking for help; empty where nothing reached the server
   */
  constructor(
    readonly code: string,
    readonly text = '',
    readonly requestId = '',
  ) {
    super(text || code)
  }

  /** Whether nothing was heard of the server: what is kept may be shown, and the same asked again. */
  get isOnTheWay(): boolean {
    return ['OFFLINE', 'TIMED_OUT', 'UNREADABLE', 'UNAVAILABLE'].includes(this.code)
  }
}

/** Whatever was thrown, as a failure. */
export function failureOf(thrown: unknown): Failure {
  return thrown instanceof Failure ? thrown : new Failure('UNREADABLE')
}
