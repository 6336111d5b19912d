import { type Ref, ref, watch } from 'vue'
import { keep, recall } from '@/api/kept'

/** What is being typed in a place, kept until it was sent: it outlives the page, and leaves the device with the session. */
export function useDraft(place: () => string): { text: Ref<string>; reopen(): void } {
  const text = ref('')
  const key = () => `draft:${place()}`

  /** Take up what was left. */
  function reopen(): void {
    text.value = recall<string>(key())?.data ?? ''
  }

  watch(text, (typed) => keep(key(), typed))
  return { text, reopen }
}
