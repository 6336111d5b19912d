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

interface Element {
  type: number
  tag: string
  tagType: number
  props: { name: string; arg?: { content: string } }[]
}

/**
 * In a browser the framework makes a component of every `view`, with a watch over fingers that platform/taps.ts keeps
 * once for all: as the plain element that it becomes in any case, a screen is drawn in half the time.
 */
function viewIsPlain(node: { type: number }): void {
  const isElement = node.type === 1
  const element = node as Element
  if (!isElement || element.tag !== 'view') return
  element.tag = 'uni-view'
  element.tagType = 0
  element.props = element.props.filter(({ name, arg }) => !(arg?.content ?? name).startsWith('hover-'))
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

const isForBrowsers = process.env.UNI_PLATFORM === 'h5'
const transforms = isForBrowsers ? [viewIsPlain] : [numberByPathBelow]

export default defineConfig({
  base: './',
  plugins: [
    uni({ vueOptions: { template: { compilerOptions: { nodeTransforms: transforms as never[] } } } }),
    noFontOfIcons(),
    nothingFromElsewhere(),
  ],
  define: {
    __LINLI_API__: JSON.stringify(process.env.LINLI_API ?? 'http://127.0.0.1:8000'),
  },
  build: {
    sourcemap: false,
    target: 'es2018',
    ...(isForBrowsers ? { rollupOptions: { output: { manualChunks: homeTogether() } } } : {}),
  },
  css: { preprocessorOptions: { scss: { silenceDeprecations: ['legacy-js-api'] } } },
})
