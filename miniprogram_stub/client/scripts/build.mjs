// Builds H5, WeChat and Alipay side by side from the one source.
//
//   node scripts/build.mjs [folder]    folder: where h5, mp-weixin and mp-alipay go; dist by default
//
// LINLI_API=https://… is the address that the mini-programs call; a browser calls where it came from.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
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

/** The worker that keeps the release in a browser, with what there is to keep; its name changes with any of it. */
function shelve(folder) {
  const digest = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')
  const names = ['assets', 'static'].flatMap((part) => readdirSync(join(folder, part), { recursive: true, withFileTypes: true }))
    .filter((each) => each.isFile() && !each.name.endsWith('.br'))
    .map((each) => relative(folder, join(each.parentPath ?? each.path, each.name)).replaceAll('\\', '/')).sort()
  const worker = readFileSync(join(HERE, 'worker/sw.js'), 'utf8')
  const page = digest(readFileSync(join(folder, 'index.html')))
  const release = digest(worker, page, ...names, ...names.map((name) => readFileSync(join(folder, name)))).slice(0, 16)
  const written = { RELEASE: release, PAGE: page, FILES: names }
  const constants = Object.entries(written).map(([name, value]) => `const ${name} = ${JSON.stringify(value)}\n`)
  writeFileSync(join(folder, 'sw.js'), constants.join('') + worker)
}

const results = await Promise.all(['h5', 'mp-weixin', 'mp-alipay'].map(build))
for (const { platform, code, said } of results) {
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${platform}\n${code === 0 ? '' : said}`)
}
if (results[0].code === 0) {
  pack(join(OUT, 'h5', 'assets'))
  shelve(join(OUT, 'h5'))
}
process.exitCode = results.some((result) => result.code !== 0) ? 1 : 0
