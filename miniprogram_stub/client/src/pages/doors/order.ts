// How an order to a door ends (指令结果): heard live, asked for in turns where nothing can be heard.
import { DoorOrderChangedDocument, type DoorOrderFragment, DoorOrderNowDocument } from '@/api/generated/graphql'
import { ask } from '@/api/transport'
import { watch } from '@/api/watching'

/** An order lives for 8 seconds and its answer may take two more: after that nothing new is to be expected soon. */
const PATIENCE_MS = 12_000
const TURN_MS = 2_000

/** Whether its end is not known yet. */
export function isUnderWay(order: DoorOrderFragment): boolean {
  return order.state === 'REQUESTED' || order.state === 'SENT'
}

/** The order at its end, or as it is when patience is over. */
export function ended(order: DoorOrderFragment): Promise<DoorOrderFragment> {
  if (!isUnderWay(order)) return Promise.resolve(order)
  return new Promise((answered) => {
    let last = order
    const finish = () => {
      unwatch()
      clearInterval(turns)
      clearTimeout(patience)
      answered(last)
    }
    const take = (now: DoorOrderFragment | null | undefined) => {
      if (now) last = now
      if (!isUnderWay(last)) finish()
    }
    const askNow = () => ask(DoorOrderNowDocument, { command: order.id }, false).then(({ doorCommand }) => take(doorCommand), () => undefined)
    const unwatch = watch(DoorOrderChangedDocument, { command: order.id }, {
      changed: ({ doorCommandChanged }) => take(doorCommandChanged), lost: () => void askNow(),
    })
    const turns = setInterval(() => void askNow(), TURN_MS)
    const patience = setTimeout(finish, PATIENCE_MS)
  })
}
