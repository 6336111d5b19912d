// When a visit is, from what is chosen in a form. Days and hours are those of the compound, Asia/Shanghai.

const EAST_MS = 8 * 3_600_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A day, `2026-11-25`, so many days from now. */
export function dayAway(days: number, now = Date.now()): string {
  return new Date(now + EAST_MS + days * DAY_MS).toISOString().slice(0, 10)
}

/** The hours from 00:00 on, or to 24:00. */
export function hours(first: number): string[] {
  return Array.from({ length: 24 }, (_, at) => `${String(first + at).padStart(2, '0')}:00`)
}

/**
 * What the server is told: from now or the day's begin until its end, unless hours were chosen. Late in the evening
 * a visit of today lasts two hours, by the whole hour, so that the same choice made again is the same command.
 *
 * @param from an hour, or empty
 * @param until an hour, or empty
 */
export function windowOf(day: string, from: string, until: string, now = Date.now()): { startsAt: string | null; endsAt: string } {
  const isToday = day === dayAway(0, now)
  const atLeast = Math.ceil((now + 2 * HOUR_MS) / HOUR_MS) * HOUR_MS
  const end = until ? instant(day, until) : Math.max(instant(day, '24:00'), isToday && !from ? atLeast : 0)
  const start = from ? instant(day, from) : isToday ? null : instant(day, '00:00')
  return { startsAt: start === null ? null : new Date(start).toISOString(), endsAt: new Date(end).toISOString() }
}

function instant(day: string, hour: string): number {
  return Date.parse(`${day}T00:00:00Z`) - EAST_MS + Number(hour.slice(0, 2)) * HOUR_MS
}
