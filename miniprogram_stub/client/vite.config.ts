import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import uni from '@dcloudio/vite-plugin-uni'
import type { ManualChunksOption } from 'rollup'
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

/** Style sheets of the libraries name pictures and fonts at foreign addresses: none is loaded. */
function nothingFromElsewhere(): Plugin {
  const foreign = /url\(\s*(['"]?)(?:https?:)?\/\/[^)]*?\1\s*\)/g
  return {
    name: 'nothing-from-elsewhere',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type !== 'asset' || !/\.(css|wxss|acss)$/.test(file.fileName)) continue
          file.source = String(file.source).replace(foreign, 'url(data:,)')
        }
      },
    },
  }
}

/** The sheet's library brings a font of icons for a button that no sheet has: forty kilobytes of every first load. */
function noFontOfIcons(): Plugin {
  return {
    name: 'no-font-of-icons',
    enforce: 'pre',
    transform: (_code, id) => (/wd-icon\.vue\?.*type=style/.test(id) ? '' : undefined),
  }
}

/** The home screen with all that it needs is one file: the browser asks for it along with the program, and for it once. */
function homeTogether(): ManualChunksOption {
  let needed: Set<string> | undefined
  return (id, { getModuleIds, getModuleInfo }) => {
    if (!needed) {
      needed = new Set()
      const open = [...getModuleIds()].filter((each) => /src\/pages\/home\/index\.vue(\?mpType=page)?$/.test(each))
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (needed.has(next)) continue
        needed.add(next)
        open.push(...(getModuleInfo(next)?.importedIds ?? []))
      }
    }
    return needed.has(id) ? 'home' : undefined
  }
}

export default defineConfig({
  base: './',
  plugins: [
    uni({ vueOptions: { template: { compilerOptions: { nodeTransforms: [numberByPathBelow as never] } } } }),
    noFontOfIcons(),
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
  build: {
    sourcemap: false,
    target: 'es2018',
    ...(process.env.UNI_PLATFORM === 'h5' ? { rollupOptions: { output: { manualChunks: homeTogether() } } } : {}),
  },
  css: { preprocessorOptions: { scss: { silenceDeprecations: ['legacy-js-api'] } } },
})
