const AMOUNT = /^(\d{1,6})(?:[.。](\d{1,2}))?$/

/** Fen in what was typed as yuan, `100` or `99.5`; 0 where it is no amount. Digits all the way: no fen is lost to a fraction. */
export function fenOf(typed: string): number {
  const found = AMOUNT.exec(typed.trim())
  return found ? Number(found[1] + (found[2] ?? '').padEnd(2, '0')) : 0
}
