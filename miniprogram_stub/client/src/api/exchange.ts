// One request and its answer. Nothing here knows of sessions, retries or screens.
import { Failure } from '@/api/failure'
import { language } from '@/shell/language'

/** Where the server is: in a browser where the page came from. */
export function serverAddress(): string {
  // #ifdef H5
  return location.origin
  // #endif
  // #ifndef H5
  return __LINLI_API__
  // #endif
}

const PATIENCE_MS = 15_000

interface ServerError {
  message: string
  extensions?: { code?: string; requestId?: string }
}

export interface Reply {
  status: number
  data: unknown
  errors: ServerError[]
}

/** Sends an operation by its digest. Failure OFFLINE, TIMED_OUT or UNREADABLE where no answer could be read. */
export function exchange(documentId: string, variables: unknown, token: string): Promise<Reply> {
  return new Promise((answered, failed) => {
    uni.request({
      url: `${serverAddress()}/graphql`,
      method: 'POST',
      timeout: PATIENCE_MS,
      header: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json',
        'Accept-Language': language.value,
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
      },
      data: JSON.stringify({ documentId, variables }),
      success: (response) => {
        const read = readable(response.data)
        if (read) answered({ status: response.statusCode, data: read.data ?? null, errors: read.errors ?? [] })
        else failed(new Failure(response.statusCode >= 500 ? 'UNAVAILABLE' : 'UNREADABLE'))
      },
      fail: ({ errMsg }) => failed(new Failure(/time ?out/i.test(errMsg) ? 'TIMED_OUT' : 'OFFLINE')),
    })
  })
}

function readable(body: unknown): { data?: unknown; errors?: ServerError[] } | null {
  if (typeof body !== 'string') return body !== null && typeof body === 'object' ? body : null
  // A media type that the platform does not take for JSON arrives as text.
  try {
    return JSON.parse(body) as { data?: unknown }
  } catch {
    return null
  }
}

/** The failure that an answer tells of; null where it is one to use. */
export function failureIn(reply: Reply): Failure | null {
  const first = reply.errors[0]
  if (!first) return reply.data === null ? new Failure('UNREADABLE') : null
  return new Failure(first.extensions?.code ?? 'UNREADABLE', first.message, first.extensions?.requestId ?? '')
}
