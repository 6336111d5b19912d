// How far a payment is, as the person who pays it sees it.
import type { PaymentShownFragment } from '@/api/generated/graphql'
import type { IconName } from '@/components/icons'

export type Phase = 'paid' | 'closed' | 'voided' | 'refused' | 'confirming' | 'waiting'

type Standing = Pick<PaymentShownFragment, 'state' | 'attemptState' | 'clientParameters'>

/** The phase; a state that this version does not know is still being confirmed. */
export function phaseOf(payment: Standing, isAsking: boolean): Phase {
  if (payment.state === 'PAID') return 'paid'
  if (payment.state === 'CLOSED') return 'closed'
  if (payment.state === 'VOIDED') return 'voided'
  if (payment.attemptState === 'FAILED') return 'refused'
  return isAsking || !payment.clientParameters ? 'confirming' : 'waiting'
}

/** Whether nothing more will happen by itself. */
export function isOver(phase: Phase): boolean {
  return phase === 'paid' || phase === 'closed' || phase === 'voided'
}

export const LOOKS: Record<Phase, { icon: IconName; tone: string }> = {
  paid: { icon: 'circle-check', tone: '' },
  closed: { icon: 'circle-x', tone: 'warm' },
  voided: { icon: 'circle-x', tone: 'warm' },
  refused: { icon: 'alert-triangle', tone: 'danger' },
  confirming: { icon: 'hourglass', tone: 'warm' },
  waiting: { icon: 'clock', tone: 'warm' },
}
