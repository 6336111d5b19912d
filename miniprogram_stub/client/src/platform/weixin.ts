// WeChat.
import { type ConsentAnswer, type Platform, named } from '@/platform/seam'
import { copied, located, opened, pictured, saved, scanned } from '@/platform/shared'
import { t } from '@/shell/texts'

export const platform: Platform = {
  name: 'weixin',
  device: t('device.wechat'),
  hasOwnAccount: true,
  canScan: true,
  loginCode: () => new Promise((answered, failed) => {
    uni.login({ provider: 'weixin', success: ({ code }) => answered(code), fail: failed })
  }),
  pay: (parameters) => new Promise((answered) => {
    uni.requestPayment({
      ...(named(parameters) as unknown as UniNamespace.RequestPaymentOptions),
      provider: 'wxpay',
      success: () => answered('returned'),
      fail: ({ errMsg }) => answered(/cancel/.test(errMsg) ? 'cancelled' : 'left'),
    })
  }),
  askConsent: (templates) => new Promise((answered) => {
    if (templates.length === 0) return answered([])
    uni.requestSubscribeMessage({
      tmplIds: templates,
      success: (said) => answered(templates.map((template): ConsentAnswer => ({
        template, answer: (said as unknown as Record<string, string>)[template] === 'accept' ? 'ACCEPT' : 'REJECT',
      }))),
      fail: () => answered([]),
    })
  }),
  scan: scanned,
  choosePicture: pictured,
  location: located,
  async share({ text, url }) {
    // A mini-program shares by its own button alone; an address goes by the clipboard.
    await copied(`${text} ${url}`)
    return false
  },
  saveImage: saved,
  copy: copied,
  openPaper: opened,
}

export function nameInput(): void {
  // WeChat reads `aria-label` of the input itself.
}

export function readyPage(): void {
  // There is no keyboard to make ready for.
}
