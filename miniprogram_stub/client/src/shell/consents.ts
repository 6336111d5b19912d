// Which consents to messages a screen may ask for. A browser has none of its own: nothing is asked there.
import type { SubscribePlatform } from '@/api/generated/graphql'
import { platform } from '@/platform'
import type { ConsentAnswer } from '@/platform/seam'

const PLACE = 'linli.refused'
const SILENT_MS = 30 * 86_400_000

/** For `asks` and `platform` of a query that brings what to ask for along. */
export const consents: { asks: boolean; platform: SubscribePlatform } = {
  asks: platform.name !== 'h5',
  platform: platform.name === 'alipay' ? 'ALIPAY' : 'WECHAT',
}

interface Asked {
  template: string
  label: string
  left: number
}

/** Those to ask for now: of which none is left, and that were not refused in the last thirty days. */
export function worthAsking<Each extends Asked>(templates: readonly Each[], now = Date.now()): Each[] {
  const refused = refusals()
  return templates.filter(({ template, left }) => left === 0 && now - (refused[template] ?? 0) > SILENT_MS)
}

/** Keep what was refused, so as not to ask for it at every turn. */
export function noteRefusals(answers: ConsentAnswer[], now = Date.now()): void {
  const refused = refusals()
  for (const { template, answer } of answers) if (answer === 'REJECT') refused[template] = now
  uni.setStorageSync(PLACE, refused)
}

function refusals(): Record<string, number> {
  return uni.getStorageSync(PLACE) || {}
}
