// How the screens look on this device: light or dark, size of type, contrast.
import { computed, ref, watch } from 'vue'

export type Shade = 'system' | 'light' | 'dark'
export type TypeSize = 'normal' | 'large' | 'largest'

interface Look {
  shade: Shade
  type: TypeSize
  contrast: boolean
}

const PLACE = 'linli.look'
const USUAL: Look = { shade: 'system', type: 'normal', contrast: false }

/** What the person chose. */
export const look = ref<Look>({ ...USUAL, ...(uni.getStorageSync(PLACE) as Partial<Look> | '') || {} })

const isDeviceDark = ref(false)

/** Whether screens are dark now. */
export const isDark = computed(() => (look.value.shade === 'system' ? isDeviceDark.value : look.value.shade === 'dark'))

/** Classes of whatever carries the colours and sizes of styles/theme.css. */
export const lookClasses = computed(() => [
  'look', isDark.value ? 'dark' : 'light', `type-${look.value.type}`, look.value.contrast ? 'contrast' : 'usual',
])

watch(look, (chosen) => uni.setStorageSync(PLACE, chosen), { deep: true })

/** Follow the device, and let what the platform draws itself go along. To be called once, by the app. */
export function followDevice(): void {
  // #ifdef H5
  const dark = matchMedia('(prefers-color-scheme: dark)')
  isDeviceDark.value = dark.matches
  dark.addEventListener('change', ({ matches }) => (isDeviceDark.value = matches))
  watch(lookClasses, (classes) => (document.documentElement.className = classes.join(' ')), { immediate: true })
  // #endif
  // #ifndef H5
  isDeviceDark.value = uni.getSystemInfoSync().theme === 'dark'
  uni.onThemeChange(({ theme }) => (isDeviceDark.value = theme === 'dark'))
  // #endif
}

/** Colour what the platform draws around a page: its bar at the top, and behind it. */
export function colourFrame(): void {
  const dark = isDark.value
  uni.setNavigationBarColor({
    frontColor: dark ? '#ffffff' : '#000000', backgroundColor: dark ? '#17211f' : '#ffffff', fail: () => undefined,
  })
  // #ifdef MP-WEIXIN
  uni.setBackgroundColor({ backgroundColor: dark ? '#0f1716' : '#f4f7f6', fail: () => undefined })
  // #endif
}
