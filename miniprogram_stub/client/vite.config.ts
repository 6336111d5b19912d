import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import uni from '@dcloudio/vite-plugin-uni'
import { defineConfig, type Plugin } from 'vite'

interface Compilation {
  filename?: string
  hashId?: string | null
}

/** Mini-programs number their components by a hash of the file's whole path: of the path below here, so that every folder builds the same bytes. */
function numberByPathBelow(node: { type: number }, context: Compilation): void {
  const isRoot = node.type === 0
  if (!isRoot || !context.hashId || !context.filename) return
  const path = relative(__dirname, context.filename).replace(/\\/g, '/')
  context.hashId = createHash('sha256').update(path).digest('hex').slice(0, 8)
}

const ICONS = readFileSync(join(__dirname, 'node_modules/wot-design-uni/components/wd-icon/wd-icons.ttf'))

/** Style sheets of the libraries name pictures and fonts at foreign addresses: none is loaded, and the font of icons comes along. */
function nothingFromElsewhere(): Plugin {
  const icons = /src:\s*url\(https:\/\/at\.alicdn\.com[^;}]*/g
  const foreign = /url\(\s*(['"]?)(?:https?:)?\/\/[^)]*?\1\s*\)/g
  return {
    name: 'nothing-from-elsewhere',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type !== 'asset' || !/\.(css|wxss|acss)$/.test(file.fileName)) continue
          file.source = String(file.source)
            .replace(icons, `src:url(data:font/ttf;base64,${ICONS.toString('base64')}) format("truetype")`)
            .replace(foreign, 'url(data:,)')
        }
      },
    },
  }
}

export default defineConfig({
  base: './',
  plugins: [
    uni({ vueOptions: { template: { compilerOptions: { nodeTransforms: [numberByPathBelow as never] } } } }),
    nothingFromElsewhere(),
  ],
  define: {
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    // Texts are compiled without `new Function`, which neither the pages' policy nor a mini-program allows.
    __INTLIFY_JIT_COMPILATION__: true,
    __INTLIFY_DROP_MESSAGE_COMPILER__: false,
    __LINLI_API__: JSON.stringify(process.env.LINLI_API ?? 'http://127.0.0.1:8000'),
  },
  build: { sourcemap: false, target: 'es2018' },
  css: { preprocessorOptions: { scss: { silenceDeprecations: ['legacy-js-api'] } } },
})
