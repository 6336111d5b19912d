// Alipay. `my` does what the framework has no name for.
import { type ConsentAnswer, type Platform, named } from '@/platform/seam'
import { copied, located, opened, pictured, saved, scanned } from '@/platform/shared'
import { t } from '@/shell/texts'

interface Consents {
  result?: { subscribedEntityIds?: string[] }
}

declare const my: {
  getAuthCode(options: { scopes: string; success(answer: { authCode: string }): void; fail(error: unknown): void }): void
  getPhoneNumber(options: { success(answer: { response: string }): void; fail(): void }): void
  tradePay(options: { tradeNO: string; success(answer: { resultCode: string }): void; fail(): void }): void
  requestSubscribeMessage(options: { entityIds: string[]; success(answer: Consents): void; fail(): void }): void
}

export const platform: Platform = {
  name: 'alipay',
  device: t('device.alipay'),
  hasOwnAccount: true,
  canScan: true,
  loginCode: () => new Promise((answered, failed) => {
    my.getAuthCode({ scopes: 'auth_base', success: ({ authCode }) => answered(authCode), fail: failed })
  }),
  pay: (parameters) => new Promise((answered) => {
    my.tradePay({
      tradeNO: named(parameters).tradeNO ?? '',
      success: ({ resultCode }) => answered(resultCode === '9000' ? 'returned' : resultCode === '6001' ? 'cancelled' : 'left'),
      fail: () => answered('left'),
    })
  }),
  askConsent: (templates) => new Promise((answered) => {
    if (templates.length === 0) return answered([])
    my.requestSubscribeMessage({
      entityIds: templates,
      success: ({ result }) => answered(templates.map((template): ConsentAnswer => ({
        template, answer: result?.subscribedEntityIds?.includes(template) ? 'ACCEPT' : 'REJECT',
      }))),
      fail: () => answered([]),
    })
  }),
  scan: scanned,
  choosePicture: pictured,
  location: located,
  async share({ text, url }) {
    await copied(`${text} ${url}`)
    return false
  },
  saveImage: saved,
  copy: copied,
  openPaper: opened,
}

/** The person's number as Alipay sealed it for the server; null where they did not allow it. */
export function phoneNumber(): Promise<{ response: string; sign: string } | null> {
  return new Promise((answered) => {
    my.getPhoneNumber({
      success: ({ response }) => answered(JSON.parse(response) as { response: string; sign: string }),
      fail: () => answered(null),
    })
  })
}

export function nameInput(): void {
  // Alipay reads `aria-label` of the input itself.
}

export function readyPage(): void {
  // There is no keyboard to make ready for.
}
