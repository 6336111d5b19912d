// A picture of a code as PNG: all platforms show it, and keep it among the person's pictures.
import type { Modules } from '@/codes/qr'

const QUIET_ZONE = 4
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** An address that holds the whole picture, black on white, each module `scale` pixels wide. */
export function pngAddress(modules: Modules, scale: number): string {
  return `data:image/png;base64,${base64(png(modules, scale))}`
}

function png(modules: Modules, scale: number): number[] {
  const side = (modules.length + 2 * QUIET_ZONE) * scale
  // One bit for each pixel, grey, neither filtered nor interlaced.
  const header = [...word(side), ...word(side), 1, 0, 0, 0, 0]
  return [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a,
    ...chunk('IHDR', header), ...chunk('IDAT', stored(pixels(modules, scale, side))), ...chunk('IEND', []),
  ]
}

function pixels(modules: Modules, scale: number, side: number): number[] {
  const bytes: number[] = []
  const across = Math.ceil(side / 8)
  for (let y = 0; y < side; y++) {
    const row = modules[Math.floor(y / scale) - QUIET_ZONE]
    bytes.push(0)
    for (let byte = 0; byte < across; byte++) {
      let value = 0
      for (let bit = 0; bit < 8; bit++) {
        const isDark = row?.[Math.floor((byte * 8 + bit) / scale) - QUIET_ZONE] ?? false
        value = (value << 1) | (isDark ? 0 : 1)
      }
      bytes.push(value)
    }
  }
  return bytes
}

/** As zlib holds it uncompressed, in blocks of at most 65,535 bytes. */
function stored(bytes: number[]): number[] {
  const result = [0x78, 0x01]
  for (let at = 0; at < bytes.length; at += 65_535) {
    const block = bytes.slice(at, at + 65_535)
    const length = block.length
    result.push(at + length >= bytes.length ? 1 : 0, length & 255, length >>> 8, ~length & 255, (~length >>> 8) & 255)
    for (const byte of block) result.push(byte)
  }
  return [...result, ...word(adler(bytes))]
}

function adler(bytes: number[]): number {
  let [low, high] = [1, 0]
  for (const byte of bytes) {
    low = (low + byte) % 65_521
    high = (high + low) % 65_521
  }
  return ((high << 16) | low) >>> 0
}

function chunk(kind: string, content: number[]): number[] {
  const named = [...[...kind].map((char) => char.charCodeAt(0)), ...content]
  return [...word(content.length), ...named, ...word(crc(named))]
}

function crc(bytes: number[]): number {
  let sum = 0xffffffff
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ ((sum & 1) * 0xedb88320)
  }
  return ~sum >>> 0
}

function word(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255)
}

function base64(bytes: number[]): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [first, second = 0, third = 0] = bytes.slice(at, at + 3) as [number, number?, number?]
    const all = (first << 16) | (second << 8) | third
    const left = bytes.length - at
    text += LETTERS[all >>> 18]! + LETTERS[(all >>> 12) & 63]!
    text += (left > 1 ? LETTERS[(all >>> 6) & 63]! : '=') + (left > 2 ? LETTERS[all & 63]! : '=')
  }
  return text
}
