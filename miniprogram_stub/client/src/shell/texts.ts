// Every text of the screens, in the language of now. Rendering reads `language`: another one redraws what is in sight.
import { type Language, language } from '@/shell/language'
import en from '@/texts/en.json'
import zh from '@/texts/zh.json'

// A key that one language lacks fails the type check.
const TEXTS: Record<Language, typeof zh> = { zh, en: en satisfies typeof zh }
const found: Record<Language, Map<string, string | null>> = { zh: new Map(), en: new Map() }

/**
 * A text by its dotted key, `{name}` filled in; the key itself where there is none.
 *
 * @param values what to fill in; a number is both `{n}` and the count
 * @param count which of the forms that `|` parts: one and more, or none, one and more
 */
export function t(key: string, values: Record<string, string | number> | number = {}, count?: number): string {
  if (typeof values === 'number') return t(key, { n: values }, values)
  const text = looked(language.value, key) ?? looked('zh', key) ?? key
  const form = count === undefined ? text : formFor(text.split('|'), count).trim()
  return form.includes('{') ? form.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? '')) : form
}

/** Whether there is such a text. */
export function te(key: string): boolean {
  return looked(language.value, key) !== null
}

function looked(spoken: Language, key: string): string | null {
  let text = found[spoken].get(key)
  if (text === undefined) {
    const at = key.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], TEXTS[spoken])
    text = typeof at === 'string' ? at : null
    found[spoken].set(key, text)
  }
  return text
}

function formFor(forms: string[], count: number): string {
  return forms[forms.length === 2 ? Number(count !== 1) : Math.min(count, forms.length - 1)]!
}
