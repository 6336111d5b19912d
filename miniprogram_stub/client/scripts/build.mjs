// Builds H5, WeChat and Alipay side by side from the one source.
//
//   node scripts/build.mjs [folder]    folder: where h5, mp-weixin and mp-alipay go; dist by default
//
// LINLI_API=https://… is the address that the mini-programs call; a browser calls where it came from.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'

const HERE = dirname(dirname(fileURLToPath(import.meta.url)))
const OUT = resolve(process.argv[2] ?? join(HERE, 'dist'))
const UNI = join(HERE, 'node_modules/@dcloudio/vite-plugin-uni/bin/uni.js')

function build(platform) {
  const folder = join(OUT, platform)
  rmSync(folder, { recursive: true, force: true })
  const env = { ...process.env, NODE_ENV: 'production', UNI_OUTPUT_DIR: folder, TZ: 'UTC' }
  const child = spawn(process.execPath, [UNI, 'build', '-p', platform], { cwd: HERE, env })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => { said += part })
  return new Promise((done) => child.on('close', (code) => done({ platform, code, said })))
}

/** Scripts and styles for browsers once more as tight as it gets: the server has no time for that, and hands it out as it is. */
function pack(folder) {
  for (const name of readdirSync(folder).filter((each) => /\.(js|css)$/.test(each))) {
    const plain = readFileSync(join(folder, name))
    const packed = brotliCompressSync(plain)
    if (packed.length < plain.length * 0.9) writeFileSync(join(folder, `${name}.br`), packed)
  }
}

const results = await Promise.all(['h5', 'mp-weixin', 'mp-alipay'].map(build))
for (const { platform, code, said } of results) {
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${platform}\n${code === 0 ? '' : said}`)
}
if (results[0].code === 0) pack(join(OUT, 'h5', 'assets'))
process.exitCode = results.some((result) => result.code !== 0) ? 1 : 0
