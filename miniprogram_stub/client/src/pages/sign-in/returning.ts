// Signing in at a page of the platform (网页授权): out with a state that nobody guesses, back with a code that is good once.
import { SIGN_IN } from '@/shell/going'

export type Way = 'wechat' | 'alipay'

interface Begun {
  way: Way
  state: string
  next: string
}

/** What the platform's page gave; `code` is empty where the person turned away. */
export interface Returned {
  way: Way
  next: string
  code: string
  phoneCode: string | null
  phone: { response: string; sign: string } | null
}

const PLACE = 'linli.signIn'

/** To the platform's page, of the server's answer; `next` is where to go after signing in. */
export function leave(way: Way, page: string, next: string): void {
  const target = new URL(page)
  if (!/^https?:$/.test(target.protocol)) throw new Error('no page to sign in at')
  const state = unguessable()
  sessionStorage.setItem(PLACE, JSON.stringify({ way, state, next } satisfies Begun))
  target.searchParams.set('return_to', `${location.origin}${location.pathname}#${SIGN_IN}`)
  target.searchParams.set('state', state)
  location.assign(target.href)
}

/** With what the browser came back: null where it did not, 'forged' where this tab did not begin it or has used it already. */
export function returned(): Returned | 'forged' | null {
  const given = new URLSearchParams(location.hash.split('?')[1] ?? '')
  if (!given.has('state')) return null
  const begun = JSON.parse(sessionStorage.getItem(PLACE) ?? 'null') as Begun | null
  sessionStorage.removeItem(PLACE)
  // Out of the address and the history: neither a reload nor going back sends it again.
  history.replaceState(history.state, '', `#${SIGN_IN}?next=${encodeURIComponent(begun?.next ?? '')}`)
  if (!begun || begun.state !== given.get('state')) return 'forged'
  const [response, sign] = [given.get('phone_response'), given.get('phone_sign')]
  return {
    way: begun.way, next: begun.next, code: given.get('code') ?? '', phoneCode: given.get('phone_code'),
    phone: response && sign ? { response, sign } : null,
  }
}

function unguessable(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
