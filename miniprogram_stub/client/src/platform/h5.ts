// A browser: its own abilities, and pages of the payment platforms in place of their cashiers.
import type { ComponentInternalInstance } from 'vue'
import { shifted } from '@/platform/gcj02'
import { type Picture, type Platform, named } from '@/platform/seam'
import { answerTaps } from '@/platform/taps'
import { keepProgram } from '@/platform/worker'
import { tabBar as tabs } from '@/pages.json'
import { t } from '@/shell/texts'

interface Detector {
  detect(picture: ImageBitmap): Promise<{ rawValue: string }[]>
}
const BarcodeDetector = (globalThis as { BarcodeDetector?: new (options: { formats: string[] }) => Detector }).BarcodeDetector

const CASHIER_OPENS_MS = 10_000

export const platform: Platform = {
  name: 'h5',
  device: /mobile|android|iphone/i.test(navigator.userAgent) ? t('device.phone') : t('device.computer'),
  hasOwnAccount: false,
  canScan: BarcodeDetector !== undefined,
  loginCode: () => Promise.reject(new Error('a browser has no account of its own')),
  async pay(parameters) {
    const { url } = named(parameters)
    // An address of the server's answer: it leads to the cashier and nowhere else than by http.
    if (!url || !/^https?:\/\//.test(url)) throw new Error('no address to pay at')
    location.assign(url)
    // Coming back, the browser shows the page that it kept, or begins anew; or it never left.
    return new Promise((answered) => {
      const left = () => answered('left')
      addEventListener('pageshow', left, { once: true })
      setTimeout(left, CASHIER_OPENS_MS)
    })
  },
  askConsent: () => Promise.resolve([]),
  async scan() {
    const picture = await taken({ capture: 'environment' })
    if (!picture || !BarcodeDetector) return null
    const [found] = await new BarcodeDetector({ formats: ['qr_code'] }).detect(await createImageBitmap(picture))
    return found?.rawValue ?? null
  },
  async choosePicture(): Promise<Picture | null> {
    const taking = await taken()
    if (!taking) return null
    // What is no picture goes as it is: the server says so in words.
    const file = await shrunk(taking).catch(() => taking)
    return { path: URL.createObjectURL(file), file }
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
  async openPaper({ url, token, name }) {
    const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } })
    if (!answer.ok) return false
    const address = URL.createObjectURL(await answer.blob())
    Object.assign(document.createElement('a'), { href: address, download: name }).click()
    // The browser reads it after this turn.
    setTimeout(() => URL.revokeObjectURL(address), 60_000)
    return true
  },
}

const LONGEST_PX = 1_600

/** The picture as a JPEG whose longer side is 1600 at most, without what the camera wrote beside it: the place, the time. */
async function shrunk(picture: File): Promise<File> {
  const drawn = await createImageBitmap(picture)
  const scale = Math.min(1, LONGEST_PX / Math.max(drawn.width, drawn.height))
  const canvas = Object.assign(document.createElement('canvas'), {
    width: Math.round(drawn.width * scale), height: Math.round(drawn.height * scale),
  })
  canvas.getContext('2d')!.drawImage(drawn, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise<Blob | null>((made) => canvas.toBlob(made, 'image/jpeg', 0.85))
  if (!blob) throw new Error('the picture could not be drawn')
  return new File([blob], 'picture.jpg', { type: blob.type })
}

/** A picture from what is on the device, or from the camera alone. */
function taken(from: { capture?: string } = {}): Promise<File | null> {
  return new Promise((answered) => {
    const input = Object.assign(document.createElement('input'), { type: 'file', accept: 'image/*', ...from })
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
  answerTaps()
  keepProgram()
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement
    if ((event.key === 'Enter' || event.key === ' ') && ['button', 'radio', 'checkbox', 'link', 'tab', 'switch'].includes(target.getAttribute('role') ?? '')) {
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
    assign(button, { role: 'button', tabindex: '0', 'aria-label': t('act.back') })
  })
}

/** Only what is different is written: what is written is observed. */
function assign(element: Element, attributes: Record<string, string>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value)
  }
}
