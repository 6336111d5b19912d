import { watch } from 'vue'
import { createI18n } from 'vue-i18n'
import { language } from '@/shell/language'
import en from '@/texts/en.json'
import zh from '@/texts/zh.json'

/** Every text of the screens; a key that one language lacks fails the type check. */
export const texts = createI18n({
  legacy: false,
  locale: language.value,
  fallbackLocale: 'zh',
  messages: { zh, en: en satisfies typeof zh },
})

watch(language, (chosen) => (texts.global.locale.value = chosen))
