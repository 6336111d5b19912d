import { ref } from 'vue'

export type Language = 'zh' | 'en'

const PLACE = 'linli.language'

/** The language of texts and of the server's messages. Chinese unless the person chose otherwise. */
export const language = ref<Language>(uni.getStorageSync(PLACE) === 'en' ? 'en' : 'zh')

/** Choose it on this device. */
export function speak(chosen: Language): void {
  language.value = chosen
  uni.setStorageSync(PLACE, chosen)
}
