const CODE = /^(?:.*\/JOIN\/)?([0-9A-Z]{2,12})$/

/** A compound's code in what was typed or scanned: alone, or at the end of its page's address. Empty where there is none. */
export function codeIn(text: string): string {
  return CODE.exec(text.trim().toUpperCase())?.[1] ?? ''
}
