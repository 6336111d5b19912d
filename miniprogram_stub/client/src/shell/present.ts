import { ref } from 'vue'

const TICK_MS = 30_000
/** A phone's clock is not corrected by less: the answer was on its way, too. */
const CLOSE_ENOUGH_MS = 120_000
let ahead = 0

/** The present in milliseconds since 1970, as the server counts it, for words that change while a screen stays open. */
export const now = ref(Date.now())

/** Let it go on. To be called once, by the app. */
export function followClock(): void {
  setInterval(look, TICK_MS)
}

/** Look at the clock, as after the app was away. */
export function look(): void {
  now.value = Date.now() - ahead
}

/** What the server's clock said in the header of an answer; a phone's may be hours from it. */
export function setBy(date: string | undefined): void {
  const off = Date.now() - Date.parse(date ?? '')
  if (Number.isNaN(off)) return
  ahead = Math.abs(off) > CLOSE_ENOUGH_MS ? off : 0
  look()
}
