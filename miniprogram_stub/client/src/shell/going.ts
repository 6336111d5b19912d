// Where one can go. Messages and links name pages that this version may not have yet.
import pages from '@/pages.json'

export const HOME = '/pages/home/index'
export const SIGN_IN = '/pages/sign-in/index'

const known = new Set(pages.pages.map(({ path }) => `/${path}`))
const tabs = new Set(pages.tabBar.list.map(({ pagePath }) => `/${pagePath}`))

/** Whether there is such a page in this version. */
export function isPage(address: string): boolean {
  return known.has(address.split('?')[0]!)
}

/** Go to a page, or home for one that there is not. Coming back leads here again. */
export function go(address: string): void {
  const target = isPage(address) ? address : HOME
  if (tabs.has(target.split('?')[0]!)) uni.switchTab({ url: target })
  else uni.navigateTo({ url: target })
}

/** Go to a page, no tab, in place of this one: coming back leads to the one before. */
export function replace(address: string): void {
  uni.redirectTo({ url: isPage(address) ? address : HOME })
}

/** Go to a page in place of this one and of all before it. */
export function begin(address: string): void {
  uni.reLaunch({ url: isPage(address) ? address : HOME })
}

/** Sign in, and come back to the page that one is on. */
export function signIn(): void {
  const open = getCurrentPages()
  const here = open.at(-1)
  if (!here || `/${here.route}` === SIGN_IN) return
  const back = (here as unknown as { $page?: { fullPath?: string } }).$page?.fullPath ?? `/${here.route}`
  uni.reLaunch({ url: `${SIGN_IN}?next=${encodeURIComponent(back)}` })
}
