// Keeps one release of the program whole: the page, and every file that it may come to need. The build writes RELEASE, PAGE
// and FILES above. Nothing else is ever kept or answered here: no answer of the server's, nothing that is anybody's.
'use strict'

const CACHE = `linli-app-${RELEASE}`
// Windows that are open go on with the release that they began with: its files stay until two more have come.
const MOST_RELEASES = 3
const HERE = new URL('./', location.href)

addEventListener('install', (event) => {
  skipWaiting()
  event.waitUntil(kept())
  shortcuts(event)
})
addEventListener('activate', (event) => event.waitUntil(taken()))
addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request
  const { origin, pathname } = new URL(url)
  if (method !== 'GET' || origin !== location.origin || !pathname.startsWith(HERE.pathname)) return
  const name = pathname.slice(HERE.pathname.length)
  if (mode === 'navigate' && name === '') event.respondWith(answered(event.request, HERE.href, CACHE))
  else if (/^(assets|static)\//.test(name)) event.respondWith(answered(event.request, url))
})

/** All of the release or nothing: what fails here leaves things as they were. */
async function kept() {
  await caches.delete(CACHE)
  const cache = await caches.open(CACHE)
  try {
    const page = await fetch(HERE, { cache: 'no-cache' })
    // Of several servers one may have the next release already.
    if ((await digest(page.clone())) !== PAGE) throw new Error('the page is that of another release')
    await Promise.all([cache.put(HERE, page), cache.addAll(FILES.map((name) => new URL(name, HERE)))])
  } catch (failure) {
    await caches.delete(CACHE)
    throw failure
  }
}

async function digest(answer) {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await answer.arrayBuffer()))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function taken() {
  const releases = (await caches.keys()).filter((name) => name.startsWith('linli-app-'))
  await Promise.all(releases.slice(0, -MOST_RELEASES).map((name) => caches.delete(name)))
  await clients.claim()
}

async function answered(request, address, cacheName) {
  return (await caches.match(address, { cacheName, ignoreVary: true })) ?? fetch(request)
}

/** Where the browser can: what this worker would answer, and what is not its business, without waking it. */
function shortcuts(event) {
  if (!event.addRoutes) return
  const path = HERE.pathname
  event.addRoutes([
    { condition: { urlPattern: new URLPattern({ pathname: `${path}(assets|static)/*` }), requestMethod: 'GET' }, source: 'cache' },
    { condition: { urlPattern: new URLPattern({ pathname: path, search: '' }), requestMode: 'navigate' }, source: { cacheName: CACHE } },
    { condition: { not: { urlPattern: new URLPattern({ pathname: `${path}*` }) } }, source: 'network' },
  ]).catch(() => undefined)
}
