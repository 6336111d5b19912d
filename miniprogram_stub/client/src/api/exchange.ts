// One request and its answer. Nothing here knows of sessions, retries or screens.
import { Failure } from '@/api/failure'
import type { Picture } from '@/platform/seam'
import { language } from '@/shell/language'
import { setBy } from '@/shell/present'

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
const PATIENCE_WITH_PICTURE_MS = 45_000

interface ServerError {
  message: string
  extensions?: { code?: string; requestId?: string }
}

/** A picture that goes along with an operation. */
export interface Enclosure {
  picture: Picture
  /** The variable in whose place it goes, which is null, such as `input.photo`. */
  place: string
}

/** How something is sent, where it is not as most is. */
export interface Sending {
  /** A picture that goes along. */
  enclosure?: Enclosure
  /** After so many milliseconds without an answer it is given up; 15 seconds otherwise. */
  patienceMs?: number
}

export interface Reply {
  status: number
  data: unknown
  errors: ServerError[]
}

/** Sends an operation by its digest. Failure OFFLINE, TIMED_OUT or UNREADABLE where no answer could be read. */
export function exchange(documentId: string, variables: unknown, token: string, { enclosure, patienceMs = PATIENCE_MS }: Sending = {}): Promise<Reply> {
  return new Promise((answered, failed) => {
    const body = JSON.stringify({ documentId, variables })
    const whereAndHow = {
      url: `${serverAddress()}/graphql`,
      success: (response: { statusCode: number; data: unknown; header?: Record<string, string> }) => {
        setBy(response.header?.Date ?? response.header?.date)
        const read = readable(response.data)
        if (read) answered({ status: response.statusCode, data: read.data ?? null, errors: read.errors ?? [] })
        else failed(new Failure(response.statusCode >= 500 ? 'UNAVAILABLE' : 'UNREADABLE'))
      },
      fail: ({ errMsg }: { errMsg: string }) => failed(new Failure(/time ?out/i.test(errMsg) ? 'TIMED_OUT' : 'OFFLINE')),
    }
    const header = {
      Accept: 'application/graphql-response+json',
      'Accept-Language': language.value,
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    }
    if (enclosure) upload(body, enclosure, { ...whereAndHow, header })
    else uni.request({ ...whereAndHow, method: 'POST', timeout: patienceMs, header: { ...header, 'Content-Type': 'application/json' }, data: body })
  })
}

/** By the GraphQL multipart request specification: the operation, where the file belongs, the file. */
function upload(operations: string, { picture, place }: Enclosure, how: Pick<UniNamespace.UploadFileOption, 'url' | 'header' | 'success' | 'fail'>): void {
  uni.uploadFile({
    ...how,
    timeout: PATIENCE_WITH_PICTURE_MS,
    header: { ...how.header, 'X-Requested-With': 'linli' },
    formData: { operations, map: JSON.stringify({ 0: [`variables.${place}`] }) },
    name: '0',
    fileType: 'image',
    filePath: picture.path,
    file: picture.file,
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
