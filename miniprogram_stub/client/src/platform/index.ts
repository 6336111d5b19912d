import type { ComponentInternalInstance } from 'vue'
import type { Platform } from '@/platform/seam'
// #ifdef H5
import * as h5 from '@/platform/h5'
// #endif
// #ifdef MP-WEIXIN
import * as weixin from '@/platform/weixin'
// #endif
// #ifdef MP-ALIPAY
import * as alipay from '@/platform/alipay'
// #endif

interface Side {
  platform: Platform
  /** Give an input the words that a screen reader says. */
  nameInput(instance: ComponentInternalInstance | null, words: string): void
  /** Once, when the app begins. */
  readyPage(): void
}

let side: Side
// #ifdef H5
side = h5
// #endif
// #ifdef MP-WEIXIN
side = weixin
// #endif
// #ifdef MP-ALIPAY
side = alipay
// #endif

export const { nameInput, platform, readyPage } = side
