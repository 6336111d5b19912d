// Amounts and times as people write them. Times are those of the compound, Asia/Shanghai, whatever the device has.
import type { Language } from '@/shell/language'

const EAST_MS = 8 * 3_600_000
const DAY_MS = 86_400_000
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Fen as ¥1,234.50; whole numbers all the way, so that no fen is lost to a fraction. */
export function yuan(fen: number): string {
  const whole = Math.trunc(Math.abs(fen) / 100).toString().replace(/\B(?=(\d{3})+$)/g, ',')
  return `${fen < 0 ? '−' : ''}¥${whole}.${String(Math.abs(fen) % 100).padStart(2, '0')}`
}

/** A moment as `today 18:30`, `tomorrow 09:00` or `11月25日 18:30`, the year where it is another one. */
export function moment(instant: string, language: Language, now = Date.now()): string {
  const at = new Date(Date.parse(instant) + EAST_MS)
  const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
  return `${day(dayOf(at), language, now)} ${clock}`
}

/** From one moment to another; the day once where it is the same. */
export function span(start: string, end: string, language: Language, now = Date.now()): string {
  const until = moment(end, language, now)
  const [from, to] = [start, end].map((each) => dayOf(new Date(Date.parse(each) + EAST_MS)))
  return `${moment(start, language, now)}–${from === to ? until.slice(-5) : until}`
}

/** A date, `2026-11-25`, as people say it. */
export function day(date: string, language: Language, now = Date.now()): string {
  const today = dayOf(new Date(now + EAST_MS))
  const away = Math.round((Date.parse(date) - Date.parse(today)) / DAY_MS)
  const near = { zh: { '-1': '昨天', 0: '今天', 1: '明天' }, en: { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' } }[language]
  if (String(away) in near) return near[String(away) as unknown as keyof typeof near]
  const [year, month, dayOfMonth] = date.split('-').map(Number) as [number, number, number]
  const isOther = year !== Number(today.slice(0, 4))
  if (language === 'zh') return `${isOther ? `${year}年` : ''}${month}月${dayOfMonth}日`
  return `${dayOfMonth} ${MONTHS[month - 1]}${isOther ? ` ${year}` : ''}`
}

/** A rate in hundredths of a percent as people read it: 9853 is 98.53%. */
export function percent(rate: number): string {
  return `${Math.trunc(rate / 100)}.${two(rate % 100)}%`
}

/** A month by any day of it: `2026年11月`, `Nov 2026`. */
export function month(date: string, language: Language): string {
  const [year, number] = date.split('-').map(Number) as [number, number]
  return language === 'zh' ? `${year}年${number}月` : `${MONTHS[number - 1]} ${year}`
}

/** The last twelve months, today included: first and last day. */
export function yearUntilToday(now = Date.now()): { from: string; until: string } {
  const today = new Date(now + EAST_MS)
  const from = new Date(today)
  from.setUTCFullYear(today.getUTCFullYear() - 1)
  return { from: dayOf(from), until: dayOf(today) }
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10)
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
