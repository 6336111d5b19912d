// The windows of one browser share what is kept there, and so the session. A mini-program has one window.

/** Do it while no other window does the like; at once where there is nothing to wait for: over plain HTTP, in a mini-program. */
export async function alone(work: () => Promise<void>): Promise<void> {
  // #ifdef H5
  if ('locks' in navigator) return void (await navigator.locks.request('linli', work))
  // #endif
  await work()
}

/** Hear of it when another window writes to a place. */
export function onWrittenElsewhere(place: string, listener: () => void): void {
  // #ifdef H5
  addEventListener('storage', ({ key }) => {
    if (key === place || key === null) listener()
  })
  // #endif
}

/** Begin as if this window had just been opened: nothing of what was in sight or in memory stays. */
export function reopen(): void {
  // #ifdef H5
  location.hash = '#/'
  location.reload()
  // #endif
}
