// Shows a visitor's page that was opened before where there is no network. The page itself keeps its latest
// state; nothing but passes is answered here, and nothing is kept for longer than there is room for a few.
"use strict";

const PAGES = "visitor-pages";
const FILES = "visitor-files";
const MOST = { [PAGES]: 5, [FILES]: 30 };
const PATIENCE_MS = 3_000;
const PASS = /^\/v\/[\w-]+$/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname, search } = new URL(url);
  if (method !== "GET" || origin !== location.origin) return;
  if (mode === "navigate" && PASS.test(pathname)) event.respondWith(page(event, pathname));
  else if (pathname.startsWith("/static/")) event.respondWith(file(event.request, pathname + search));
});

const put = async (name, key, answer) => {
  const cache = await caches.open(name);
  await cache.delete(key, { ignoreVary: true });
  await cache.put(key, answer);
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, -MOST[name]).map((each) => cache.delete(each)));
};
const find = async (name, key) => (await caches.open(name)).match(key, { ignoreVary: true });

// The network first; at a gate it may be there and lead nowhere.
const page = async (event, path) => {
  const kept = await find(PAGES, path);
  const asked = fetch(event.request).then(async (answer) => {
    if (answer.ok) await put(PAGES, path, answer.clone());
    if (answer.status === 404) await (await caches.open(PAGES)).delete(path, { ignoreVary: true });
    return answer;
  });
  if (!kept) return asked;
  event.waitUntil(asked.catch(() => null));
  const fresh = asked.then((answer) => (answer.ok || answer.status === 404 ? answer : kept), () => kept);
  return Promise.race([fresh, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept))]);
};

// Files are named by what is in them.
const file = async (request, path) => {
  const kept = await find(FILES, path);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await put(FILES, path, answer.clone());
  return answer;
};
