import type { VisitLineFragment } from '@/api/generated/graphql'
import { now as present } from '@/shell/present'

/** How far a visit is, as the people of the house see it (来访进度). */
export type Stage = 'asks' | 'later' | 'onTheWay' | 'inside' | 'between' | 'used' | 'over' | 'missed' | 'revoked' | 'rejected' | 'other'

/** What tells a stage. */
export type Visit = Pick<VisitLineFragment, 'state' | 'insideSince' | 'uses' | 'startsAt' | 'endsAt'>

const ENDS: Record<string, Stage> = { REVOKED: 'revoked', REJECTED: 'rejected' }

/** Whether the time of a visit is past: what was read before, without a network since, may not say so. */
export function isPast(visit: Visit, now = present.value): boolean {
  return Date.parse(visit.endsAt) <= now
}

/** The stage of a visit; `other` for a state that this version does not know. */
export function stageOf(visit: Visit, now = present.value): Stage {
  if (visit.state === 'REQUESTED') return isPast(visit, now) ? 'missed' : 'asks'
  if (visit.insideSince) return 'inside'
  if (visit.state === 'ACTIVE' && isPast(visit, now)) return visit.uses > 0 ? 'over' : 'missed'
  if (visit.state === 'ACTIVE') return visit.uses > 0 ? 'between' : Date.parse(visit.startsAt) > now ? 'later' : 'onTheWay'
  if (visit.state === 'USED_UP') return 'used'
  if (visit.state === 'EXPIRED') return visit.uses > 0 ? 'over' : 'missed'
  return ENDS[visit.state] ?? 'other'
}

/** The classes of a badge that says the stage. */
export function toneOf(stage: Stage): string {
  if (stage === 'asks') return 'warm'
  return ['inside', 'onTheWay', 'between', 'later'].includes(stage) ? '' : 'past'
}
