import { computed } from 'vue'
import type { Failure } from '@/api/failure'
import { t } from '@/shell/texts'

const OWN = new Set(['OFFLINE', 'TIMED_OUT', 'UNREADABLE', 'UNAVAILABLE', 'SESSION_OVER', 'THROTTLED', 'PERSISTED_QUERY_NOT_FOUND', 'BAD_ID'])
/** What the server says of them is for whoever writes a client. */
const REPLACED = new Set(['PERSISTED_QUERY_NOT_FOUND', 'BAD_ID'])

/** A failure in words: what happened, what to do about it, and what to quote when asking for help. */
export function useFailureWords(failure: () => Failure | null) {
  const words = computed(() => {
    const it = failure()
    if (!it) return ''
    if (it.text && !REPLACED.has(it.code)) return it.text
    return t(`failure.${OWN.has(it.code) ? it.code : 'OTHER'}.words`)
  })
  const advice = computed(() => {
    const it = failure()
    return it && OWN.has(it.code) ? t(`failure.${it.code}.advice`) : ''
  })
  const quotation = computed(() => {
    const it = failure()
    if (!it) return ''
    return it.requestId ? t('failure.quoted', { code: it.code, request: it.requestId.slice(0, 8) }) : t('failure.code', { code: it.code })
  })
  return { words, advice, quotation }
}
