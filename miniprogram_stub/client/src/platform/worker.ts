// The program itself, kept on the device by a service worker (worker/sw.js): opened at once, and without a network.
const WORKER = './sw.js'
// What the first screen needs comes first.
const PATIENCE_MS = 3_000

/** Once: have the program kept, or forgotten where the server has no worker any more. Whatever fails, it runs on without. */
export function keepProgram(): void {
  // Only where nobody on the way can change what comes; a plain http address has none.
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined
  if (workers) setTimeout(() => void agree(workers).catch(() => undefined), PATIENCE_MS)
}

async function agree(workers: ServiceWorkerContainer): Promise<void> {
  const { status } = await fetch(WORKER, { cache: 'no-cache' })
  if (status === 200) await workers.register(WORKER, { updateViaCache: 'none' })
  // A release was taken back to one from before the worker: it would hand out what there is no longer.
  if (status === 404 || status === 410) await forget(workers)
}

async function forget(workers: ServiceWorkerContainer): Promise<void> {
  await (await workers.getRegistration())?.unregister()
  const kept = (await caches.keys()).filter((name) => name.startsWith('linli-app-'))
  await Promise.all(kept.map((name) => caches.delete(name)))
}
