// QR codes (ISO/IEC 18004), byte mode, error correction M: drawn on the device, so that a code needs no network.

/** Rows of modules, true for dark, without the quiet zone around them. */
export type Modules = boolean[][]

// By version, from 1: words of error correction in each block, and blocks. Level M; version 20 holds 666 bytes.
const CORRECTION = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26]
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16]
const LEVEL_M = 0

const MASKS: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

/** The code of a text. RangeError for one that is longer than 666 bytes. */
export function qrModules(text: string): Modules {
  const bytes = utf8(text)
  const version = versionFor(bytes.length)
  const words = interleaved(dataWords(bytes, version), version)
  const drawn = MASKS.map((_, mask) => drawnWith(words, version, mask))
  return drawn.reduce((best, each) => (penalty(each) < penalty(best) ? each : best))
}

function utf8(text: string): number[] {
  const parts = encodeURIComponent(text).match(/%..|./g) ?? []
  return parts.map((part) => (part.length === 3 ? parseInt(part.slice(1), 16) : part.charCodeAt(0)))
}

function allWords(version: number): number {
  let modules = (16 * version + 128) * version + 64
  if (version >= 2) {
    const marks = Math.floor(version / 7) + 2
    modules -= (25 * marks - 10) * marks - 55
    if (version >= 7) modules -= 36
  }
  return Math.floor(modules / 8)
}

function room(version: number): number {
  return allWords(version) - CORRECTION[version - 1]! * BLOCKS[version - 1]!
}

function versionFor(length: number): number {
  for (let version = 1; version <= BLOCKS.length; version++) {
    if (length + (version < 10 ? 2 : 3) <= room(version)) return version
  }
  throw new RangeError('too long for a code')
}

function dataWords(bytes: number[], version: number): number[] {
  const bits: number[] = []
  const add = (value: number, length: number) => {
    for (let at = length - 1; at >= 0; at--) bits.push((value >>> at) & 1)
  }
  add(0b0100, 4)
  add(bytes.length, version < 10 ? 8 : 16)
  for (const byte of bytes) add(byte, 8)
  const most = room(version) * 8
  add(0, Math.min(4, most - bits.length))
  add(0, (8 - (bits.length % 8)) % 8)
  for (let pad = 0xec; bits.length < most; pad ^= 0xec ^ 0x11) add(pad, 8)
  return Array.from({ length: bits.length / 8 }, (_, word) => bits.slice(word * 8, word * 8 + 8).reduce((sum, bit) => sum * 2 + bit, 0))
}

/** Each block with its correction, taken in turns. */
function interleaved(data: number[], version: number): number[] {
  const count = BLOCKS[version - 1]!
  const extra = CORRECTION[version - 1]!
  const short = Math.floor(data.length / count)
  const longFrom = count - (data.length % count)
  const divisor = generator(extra)
  const blocks: number[][] = []
  for (let at = 0, block = 0; block < count; block++) {
    const length = short + (block >= longFrom ? 1 : 0)
    blocks.push(data.slice(at, at + length))
    at += length
  }
  const corrections = blocks.map((block) => remainder(block, divisor))
  return [...inTurns(blocks), ...inTurns(corrections)]
}

function inTurns(blocks: number[][]): number[] {
  const longest = Math.max(...blocks.map((block) => block.length))
  return Array.from({ length: longest }, (_, at) => blocks.filter((block) => at < block.length).map((block) => block[at]!)).flat()
}

/** In the field of 256 elements, modulo x^8 + x^4 + x^3 + x^2 + 1. */
function product(x: number, y: number): number {
  let result = 0
  for (let bit = 7; bit >= 0; bit--) {
    result = (result << 1) ^ ((result >>> 7) * 0x11d)
    result ^= ((y >>> bit) & 1) * x
  }
  return result
}

function generator(degree: number): number[] {
  const result = [...Array<number>(degree - 1).fill(0), 1]
  for (let step = 0, root = 1; step < degree; step++, root = product(root, 2)) {
    for (let at = 0; at < degree; at++) {
      result[at] = product(result[at]!, root)
      if (at + 1 < degree) result[at]! ^= result[at + 1]!
    }
  }
  return result
}

function remainder(data: number[], divisor: number[]): number[] {
  const result = Array<number>(divisor.length).fill(0)
  for (const word of data) {
    const factor = word ^ result.shift()!
    result.push(0)
    divisor.forEach((each, at) => (result[at]! ^= product(each, factor)))
  }
  return result
}

function drawnWith(words: number[], version: number, mask: number): Modules {
  const size = version * 4 + 17
  const modules: (boolean | null)[][] = Array.from({ length: size }, () => Array<boolean | null>(size).fill(null))
  drawPatterns(modules, version)
  drawFormat(modules, mask)
  drawVersion(modules, version)
  drawWords(modules, words, MASKS[mask]!)
  return modules as Modules
}

function drawPatterns(modules: (boolean | null)[][], version: number): void {
  const size = modules.length
  for (let at = 0; at < size; at++) modules[6]![at] = modules[at]![6] = at % 2 === 0
  const marks = alignments(version)
  const last = marks.length - 1
  marks.forEach((x, column) => marks.forEach((y, row) => {
    const isCorner = (column === 0 && row === 0) || (column === 0 && row === last) || (column === last && row === 0)
    if (!isCorner) square(modules, x, y, 2, (away) => away !== 1)
  }))
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]] as const) square(modules, x, y, 4, (away) => away !== 2 && away !== 4)
}

function square(modules: (boolean | null)[][], x: number, y: number, reach: number, isDark: (away: number) => boolean): void {
  for (let down = -reach; down <= reach; down++) {
    for (let right = -reach; right <= reach; right++) {
      const row = modules[y + down]
      if (row && x + right >= 0 && x + right < row.length) row[x + right] = isDark(Math.max(Math.abs(right), Math.abs(down)))
    }
  }
}

function alignments(version: number): number[] {
  if (version === 1) return []
  const count = Math.floor(version / 7) + 2
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2
  const last = version * 4 + 10
  return [6, ...Array.from({ length: count - 1 }, (_, at) => last - at * step).reverse()]
}

function drawFormat(modules: (boolean | null)[][], mask: number): void {
  const size = modules.length
  const data = (LEVEL_M << 3) | mask
  let rest = data
  for (let step = 0; step < 10; step++) rest = (rest << 1) ^ ((rest >>> 9) * 0x537)
  const bits = ((data << 10) | rest) ^ 0x5412
  const bit = (at: number) => ((bits >>> at) & 1) === 1
  for (let at = 0; at < 15; at++) {
    // Around the corner at the top left, over the lines of timing; and split between the other two.
    const near = at < 6 ? at : at < 8 ? at + 1 : 0
    if (at < 8) modules[near]![8] = bit(at)
    else modules[8]![at === 8 ? 7 : 14 - at] = bit(at)
    if (at < 8) modules[8]![size - 1 - at] = bit(at)
    else modules[size - 15 + at]![8] = bit(at)
  }
  modules[size - 8]![8] = true
}

function drawVersion(modules: (boolean | null)[][], version: number): void {
  if (version < 7) return
  let rest = version
  for (let step = 0; step < 12; step++) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25)
  const bits = (version << 12) | rest
  for (let at = 0; at < 18; at++) {
    const far = modules.length - 11 + (at % 3)
    modules[far]![Math.floor(at / 3)] = modules[Math.floor(at / 3)]![far] = ((bits >>> at) & 1) === 1
  }
}

/** Up and down in columns of two, from the right, leaving out what is drawn. */
function drawWords(modules: (boolean | null)[][], words: number[], mask: (x: number, y: number) => boolean): void {
  const size = modules.length
  let at = 0
  for (let right = size - 1; right >= 1; right -= right === 8 ? 3 : 2) {
    const isUp = ((right > 6 ? right + 1 : right + 2) & 2) === 0
    for (let step = 0; step < size; step++) {
      const y = isUp ? size - 1 - step : step
      for (const x of [right, right - 1]) {
        if (modules[y]![x] !== null) continue
        const bit = ((words[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1
        modules[y]![x] = (bit === 1) !== mask(x, y)
        at++
      }
    }
  }
}

/** How hard a code is to read: long runs, blocks, and more of one colour than of the other. */
function penalty(modules: Modules): number {
  const size = modules.length
  let points = 0
  let dark = 0
  for (let a = 0; a < size; a++) {
    for (const line of [modules[a]!, modules.map((row) => row[a]!)]) points += runs(line)
    for (let b = 0; b < size; b++) {
      const here = modules[a]![b]!
      if (here) dark++
      if (a > 0 && b > 0 && here === modules[a - 1]![b] && here === modules[a]![b - 1] && here === modules[a - 1]![b - 1]) points += 3
    }
  }
  return points + Math.floor(Math.abs((dark * 20) / (size * size) - 10)) * 10
}

function runs(line: boolean[]): number {
  const text = line.map((dark) => (dark ? '1' : '0')).join('')
  const long = (text.match(/0{5,}|1{5,}/g) ?? []).reduce((sum, run) => sum + run.length - 2, 0)
  const finders = (text.match(/(?=10111010000|00001011101)/g) ?? []).length
  return long + finders * 40
}
