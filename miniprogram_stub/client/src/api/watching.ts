// One thing as it changes, while a screen shows it: a subscription of its own; where it breaks off, asking in turns.
import { type Operation, idOf } from '@/api/documents'
import { serverAddress } from '@/api/exchange'
import { accessToken } from '@/api/session'

const PAUSES_S = [1, 2, 4]

/** What is heard of the thing. */
export interface Watcher<Result> {
  /** As it is now, and after each change. */
  changed(answer: Result): void
  /** Nothing can be heard at present: time to ask for it. */
  lost(): void
}

interface Message {
  type: string
  payload?: { data?: unknown }
}

/** Hear of it until the returned function is called. */
export function watch<Result, Variables>(
  document: Operation<Result, Variables>, variables: Variables, watcher: Watcher<Result>,
): () => void {
  let task: UniApp.SocketTask | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  let failures = 0

  async function connect(): Promise<void> {
    const token = await accessToken().catch(() => '')
    if (isOver) return
    if (!token) return again()
    const mine = uni.connectSocket({
      url: `${serverAddress().replace(/^http/, 'ws')}/graphql`, protocols: ['graphql-transport-ws'], complete: () => undefined,
    })
    task = mine
    const say = (message: object) => mine.send({ data: JSON.stringify(message) })
    const broken = () => {
      if (task === mine) drop(again)
    }
    mine.onOpen(() => say({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }))
    mine.onMessage(({ data }) => {
      if (task === mine) hear(JSON.parse(String(data)) as Message, say, broken)
    })
    mine.onError(broken)
    mine.onClose(broken)
  }

  function hear({ type, payload }: Message, say: (message: object) => void, broken: () => void): void {
    if (type === 'ping') return say({ type: 'pong' })
    if (type === 'connection_ack') return say({ id: '1', type: 'subscribe', payload: { documentId: idOf(document), variables } })
    if (type !== 'next' || !payload?.data) return broken()
    failures = 0
    watcher.changed(payload.data as Result)
  }

  function again(): void {
    const pause = PAUSES_S[Math.min(failures, PAUSES_S.length - 1)]!
    failures += 1
    timer = setTimeout(() => {
      watcher.lost()
      void connect()
    }, pause * 1_000 * (0.75 + Math.random() / 2))
  }

  function drop(then?: () => void): void {
    const open = task
    task = null
    open?.close({})
    then?.()
  }

  void connect()
  return () => {
    isOver = true
    clearTimeout(timer)
    drop()
  }
}
