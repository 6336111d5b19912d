// What changes while a screen is open: events over a socket, by graphql-transport-ws; asking in turns where none stays up.
import { idOf } from '@/api/documents'
import { serverAddress } from '@/api/exchange'
import { ViewerEventsDocument } from '@/api/generated/graphql'
import { accessToken, owner } from '@/api/session'

/** Something of the caller's changed. `name` is empty where only that something did is known: read all that is shown. */
export interface Change {
  name: string
  subject: string | null
}

type Listener = (change: Change) => void

const PAUSES_S = [1, 2, 5, 10, 30, 60]
const POLL_S = 30
/** A connection that held for so long was none of a row of failures. */
const HELD_MS = 60_000
const FAILURES_BEFORE_POLLING = 3
const BEGIN_ANEW = new Set(['CURSOR_EXPIRED', 'BAD_CURSOR'])

const listeners = new Set<Listener>()
let cursor: string | null = null
let socket: UniApp.SocketTask | null = null
let failures = 0
let heardAt = 0
let timer: ReturnType<typeof setTimeout> | undefined
let isWanted = false

/** Hear of changes until the returned function is called. */
export function follow(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Go on from here: the `eventCursor` that came with what is shown. The first one counts, later ones come by events. */
export function followFrom(eventCursor: string): void {
  if (cursor === null) cursor = eventCursor
  if (isWanted && !socket && timer === undefined) void connect()
}

/** The app is in front: connect. */
export function wake(): void {
  isWanted = true
  failures = 0
  if (cursor !== null && !socket) void connect()
}

/** The app is away, or nobody is signed in: be silent. What happens meanwhile comes first on the next connection. */
export function rest(): void {
  isWanted = false
  clearTimeout(timer)
  timer = undefined
  drop()
}

/** Forget the place, as when somebody else signs in. */
export function forgetPlace(): void {
  rest()
  cursor = null
}

async function connect(): Promise<void> {
  timer = undefined
  const mine = owner.value
  if (!isWanted || !mine) return
  let token: string
  try {
    token = await accessToken()
  } catch {
    return later()
  }
  if (!isWanted || socket || owner.value !== mine) return
  heardAt = 0
  const task = uni.connectSocket({
    url: `${serverAddress().replace(/^http/, 'ws')}/graphql`,
    protocols: ['graphql-transport-ws'],
    complete: () => undefined,
  })
  socket = task
  const say = (message: object) => task.send({ data: JSON.stringify(message) })
  task.onOpen(() => say({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }))
  task.onMessage(({ data }) => socket === task && hear(JSON.parse(String(data)) as Message, say))
  task.onError(() => lost(task))
  task.onClose(() => lost(task))
}

interface Message {
  type: string
  payload?: { data?: { viewerEvents: Change & { cursor: string } }; errors?: { extensions?: { code?: string } }[] }
}

function hear(message: Message, say: (message: object) => void): void {
  if (message.type === 'ping') return say({ type: 'pong' })
  if (message.type === 'connection_ack') {
    heardAt = Date.now()
    // What could not be read meanwhile is read again.
    if (failures > 0) tell({ name: '', subject: null })
    return say({ id: '1', type: 'subscribe', payload: { documentId: idOf(ViewerEventsDocument), variables: { after: cursor } } })
  }
  if (message.type === 'next' && message.payload?.data) {
    failures = 0
    const { cursor: place, name, subject } = message.payload.data.viewerEvents
    cursor = place
    return tell({ name, subject })
  }
  if (message.type === 'next' || message.type === 'error') interrupted(message.payload)
  if (message.type === 'complete' && socket) lost(socket)
}

function interrupted(payload: unknown): void {
  const errors = (Array.isArray(payload) ? payload : (payload as Message['payload'])?.errors) as { extensions?: { code?: string } }[] | undefined
  if (BEGIN_ANEW.has(errors?.[0]?.extensions?.code ?? '')) {
    // What is shown is read again, and brings the new place along.
    cursor = null
    drop()
    return tell({ name: '', subject: null })
  }
  if (socket) lost(socket)
}

function tell(change: Change): void {
  for (const listener of listeners) listener(change)
}

function lost(task: UniApp.SocketTask): void {
  if (socket !== task) return
  drop()
  failures = heardAt > 0 && Date.now() - heardAt > HELD_MS ? 1 : failures + 1
  heardAt = 0
  later()
}

function drop(): void {
  const task = socket
  socket = null
  task?.close({})
}

function later(): void {
  if (!isWanted || cursor === null) return
  const pause = PAUSES_S[Math.min(failures, PAUSES_S.length) - 1] ?? 1
  clearTimeout(timer)
  timer = failures >= FAILURES_BEFORE_POLLING
    ? setTimeout(poll, POLL_S * 1_000)
    : setTimeout(() => void connect(), pause * 1_000 * (0.5 + Math.random()))
}

function poll(): void {
  timer = undefined
  tell({ name: '', subject: null })
  void connect()
}
