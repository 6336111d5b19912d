// A browser: its own abilities, and pages of the payment platforms in place of their cashiers.
import type { ComponentInternalInstance } from 'vue'
import { shifted } from '@/platform/gcj02'
import { type Platform, named } from '@/platform/seam'
import { tabBar as tabs } from '@/pages.json'
import { texts } from '@/shell/texts'

interface Detector {
  detect(picture: ImageBitmap): Promise<{ rawValue: string }[]>
}
const BarcodeDetector = (globalThis as { BarcodeDetector?: new (options: { formats: string[] }) => Detector }).BarcodeDetector

export const platform: Platform = {
  name: 'h5',
  device: /mobile|android|iphone/i.test(navigator.userAgent) ? texts.global.t('device.phone') : texts.global.t('device.computer'),
  hasOwnAccount: false,
  canScan: BarcodeDetector !== undefined,
  loginCode: () => Promise.reject(new Error('a browser has no account of its own')),
  async pay(parameters) {
    const { url } = named(parameters)
    // An address of the server's answer: it leads to the cashier and nowhere else than by http.
    if (!url || !/^https?:\/\//.test(url)) throw new Error('no address to pay at')
    location.assign(url)
    return 'left'
  },
  askConsent: () => Promise.resolve([]),
  async scan() {
    const picture = await taken()
    if (!picture || !BarcodeDetector) return null
    const [found] = await new BarcodeDetector({ formats: ['qr_code'] }).detect(await createImageBitmap(picture))
    return found?.rawValue ?? null
  },
  location: () => new Promise((answered) => {
    uni.getLocation({ type: 'wgs84', success: ({ latitude, longitude }) => answered(shifted(latitude, longitude)), fail: () => answered(null) })
  }),
  async share({ title, text, url }) {
    if (navigator.share) {
      const isShared = await navigator.share({ title, text, url }).then(() => true, (error: Error) => error.name === 'AbortError')
      if (isShared) return true
    }
    await platform.copy(`${text} ${url}`)
    return false
  },
  saveImage(url) {
    const link = Object.assign(document.createElement('a'), { href: url, download: '' })
    link.click()
    return Promise.resolve(true)
  },
  copy: (text) => navigator.clipboard.writeText(text),
}

/** A picture from the camera, or from what is on the device. */
function taken(): Promise<File | null> {
  return new Promise((answered) => {
    const input = Object.assign(document.createElement('input'), { type: 'file', accept: 'image/*', capture: 'environment' })
    input.addEventListener('change', () => answered(input.files?.[0] ?? null))
    input.addEventListener('cancel', () => answered(null))
    input.click()
  })
}

/** What a screen reader says of an input: it is one inside of the framework's own element. */
export function nameInput(instance: ComponentInternalInstance | null, words: string): void {
  const root = instance?.proxy?.$el as HTMLElement | undefined
  root?.querySelector('input')?.setAttribute('aria-label', words)
}

/** Once: what a keyboard and a screen reader need and the framework does not do. */
export function readyPage(): void {
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement
    if ((event.key === 'Enter' || event.key === ' ') && ['button', 'radio', 'link', 'tab', 'switch'].includes(target.getAttribute('role') ?? '')) {
      event.preventDefault()
      target.click()
    }
  })
  new MutationObserver(nameFrame).observe(document.body, { childList: true, subtree: true })
  nameFrame()
}

function nameFrame(): void {
  document.querySelector('.uni-tabbar:not([role])')?.setAttribute('role', 'tablist')
  const pages = getCurrentPages()
  document.querySelectorAll('.uni-tabbar__item').forEach((item, index) => {
    const isHere = tabs.list[index]?.pagePath === pages[0]?.route
    assign(item, { role: 'tab', tabindex: '0', 'aria-selected': String(isHere) })
  })
  document.querySelectorAll<HTMLImageElement>('img:not([alt])').forEach((picture) => {
    picture.alt = picture.parentElement?.getAttribute('alt') ?? ''
  })
  document.querySelectorAll('.uni-page-head-btn').forEach((button) => {
    assign(button, { role: 'button', tabindex: '0', 'aria-label': texts.global.t('act.back') })
  })
}

/** Only what is different is written: what is written is observed. */
function assign(element: Element, attributes: Record<string, string>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value)
  }
}
