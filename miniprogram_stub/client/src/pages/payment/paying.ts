// A payment on its way to the platform's cashier and back.
import { ref } from 'vue'
import type { OnlineChannel, OnlineProduct, PaymentShownFragment } from '@/api/generated/graphql'
import { keep, recall } from '@/api/kept'
import { platform } from '@/platform'

const PAGE = '/pages/payment/index'
const BEGUN = 'payment begun last'

/** The platforms that one can pay by here, the usual one first. */
export const CHANNELS: OnlineChannel[] = { h5: ['ALIPAY', 'WECHAT'], weixin: ['WECHAT'], alipay: ['ALIPAY'] }[platform.name] as OnlineChannel[]

/** Where one pays. */
export const PRODUCT: OnlineProduct = platform.name === 'h5' ? 'H5' : 'MINI_PROGRAM'

/** Whether its cashier can be opened here: it may have been begun in another program, or at another platform. */
export function isPayableHere({ product, channel, clientParameters }: Pick<PaymentShownFragment, 'product' | 'channel' | 'clientParameters'>): boolean {
  return clientParameters !== null && product === PRODUCT && (CHANNELS as string[]).includes(channel)
}

/** The payment whose cashier is open in front; empty while none is. */
export const atCashier = ref('')

/** The payment that this device began last: a browser comes back from the cashier without its name. */
export function lastBegun(): string {
  return recall<string>(BEGUN)?.data ?? ''
}

/**
 * Show the payment, and open the platform's cashier for it where it can be paid now. What it came to, the server says.
 *
 * @param isAgreed whether the person agreed to this sum; else it is shown, and they go on from there
 */
export async function handOver(payment: PaymentShownFragment, isAgreed = true): Promise<void> {
  keep(BEGUN, payment.id)
  const goesOn = isAgreed && isPayableHere(payment)
  if (goesOn) atCashier.value = payment.id
  if (!isShown(payment.id)) await shown(payment.id)
  if (!goesOn || !payment.clientParameters) return
  try {
    await platform.pay(payment.clientParameters)
  } catch {
    // Whatever kept it from opening: the page asks what it came to.
  } finally {
    atCashier.value = ''
  }
}

function isShown(id: string): boolean {
  const here = getCurrentPages().at(-1) as unknown as { route?: string; options?: { id?: string } } | undefined
  return `/${here?.route}` === PAGE && decodeURIComponent(here?.options?.id ?? lastBegun()) === id
}

function shown(id: string): Promise<void> {
  return new Promise((done) => {
    uni.navigateTo({ url: `${PAGE}?id=${encodeURIComponent(id)}`, complete: () => done() })
  })
}
