// What a meter shows and what was used, in words and before it is sent.
import type { MeterShownFragment } from '@/api/generated/graphql'
import type { IconName } from '@/components/icons'

export type Meter = MeterShownFragment

const EAST_MS = 8 * 3_600_000
const DAY_MS = 86_400_000
const ICONS: Record<string, IconName> = { WATER: 'droplet', HOT_WATER: 'droplet', ELECTRICITY: 'bolt', GAS: 'flame', HEAT: 'flame' }
/** Units a day that no household wonders about: docs/meters.md. */
const FLOORS: Record<string, number> = { WATER: 1, HOT_WATER: 0.5, ELECTRICITY: 30, GAS: 3, HEAT: 100 }
/** Times the usual use beyond which one is asked whether it is right; the server holds a reading back later than that. */
const UNUSUAL = 3

export function iconOf(kind: string): IconName {
  return ICONS[kind] ?? 'gauge'
}

/** The unit of what it measures. */
export function unitOf(kind: string): string {
  return kind === 'ELECTRICITY' || kind === 'HEAT' ? 'kWh' : 'm³'
}

/** A decimal without zeros that say nothing: `100.0000` is 100. */
export function plain(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal
}

/** Whether somebody is to read it: no reading of this month, none that waits, and no collector that does it. */
export function isDue(meter: Meter, now = Date.now()): boolean {
  if (meter.device || meter.waiting > 0) return false
  return !meter.lastReadAt || monthOf(Date.parse(meter.lastReadAt)) !== monthOf(now)
}

/** What was typed as the server takes it; empty where the register cannot show it. */
export function valueOf(typed: string, digits: number): string {
  const found = /^0*(\d+)(?:[.。](\d{1,4}))?$/.exec(typed.trim())
  if (!found || found[1]!.length > digits) return ''
  return found[2] ? `${found[1]}.${found[2]}` : found[1]!
}

export type Doubt = 'LESS' | 'MUCH' | ''

/** Whether to ask once more: less than before, or far more than usual. */
export function doubtOf(meter: Meter, value: string, now = Date.now()): Doubt {
  if (!meter.lastValue || !meter.lastReadAt) return ''
  const step = Number(value) - Number(meter.lastValue)
  if (step < 0) return 'LESS'
  const days = Math.max(1, Math.ceil((now - Date.parse(meter.lastReadAt)) / DAY_MS))
  return step * Number(meter.multiplier) > mostADay(meter) * days ? 'MUCH' : ''
}

function mostADay(meter: Meter): number {
  if (meter.dailyMost) return Number(meter.dailyMost)
  const used = meter.consumption.map((each) => Number(each.units))
  const usual = used.length > 0 ? used.reduce((sum, each) => sum + each, 0) / used.length / 30 : 0
  return Math.max(FLOORS[meter.kind] ?? 0, usual * UNUSUAL)
}

function monthOf(at: number): string {
  return new Date(at + EAST_MS).toISOString().slice(0, 7)
}
