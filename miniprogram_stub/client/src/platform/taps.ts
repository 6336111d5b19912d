// Taps in a browser: what is tapped looks pressed before anything else is done. The mini-programs' own views do that by
// `hover-class`, beside the program; in a browser one thread draws and works.
const CONTROLS = '[role=button], [role=radio], [role=checkbox], [role=switch], [role=tab], [role=link]'
// What the browser does in answer to a finger alone, such as sharing, copying or choosing a file, waits for nothing.
const AT_ONCE = '[data-at-once]'

/** Once: from now on a tap is seen first, and goes on to what hears of it when that was painted. */
export function answerTaps(): void {
  // Safari draws `:active` only where something hears of fingers.
  addEventListener('touchstart', () => undefined, { passive: true })
  addEventListener('click', answer, { capture: true })
}

function answer(event: MouseEvent): void {
  const target = event.target as Element
  const control = target.closest(CONTROLS)
  // Clicks that no finger made are those of the keyboard, and those that go on from here.
  if (!control || !event.isTrusted || control.matches(AT_ONCE)) return
  event.stopImmediatePropagation()
  // The second of two taps counts when the first was heard: whatever it made busy or took away says so by then.
  if (control.hasAttribute('data-pressed')) return
  control.setAttribute('data-pressed', '')
  afterPaint(() => {
    control.removeAttribute('data-pressed')
    if (target.isConnected) target.dispatchEvent(new MouseEvent('click', event))
  })
}

function afterPaint(run: () => void): void {
  requestAnimationFrame(() => setTimeout(run))
}
