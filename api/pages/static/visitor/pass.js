// Keeps a visitor's page true while it is open, and there while the network is not.
(() => {
  "use strict";

  const NEW_CODE_MS = 20_000;
  const LOOK_AGAIN_MS = 20_000;
  const PATIENCE_MS = 8_000;
  const DAY_S = 86_400;
  const CHINA_S = 8 * 3_600;
  const CLOCK_MS = 20_000;
  const path = location.pathname;
  const pass = () => document.getElementById("pass");

  // A phone whose clock is wrong shows codes that no gate takes: it goes by the server's clock, kept for later.
  const OFFSET = "linli-clock";
  let offset = Number(localStorage.getItem(OFFSET)) || 0;
  const now = () => Date.now() + offset;
  const setClock = (server) => {
    const found = server - Date.now();
    offset = Math.abs(found) > CLOCK_MS ? found : 0;
    localStorage.setItem(OFFSET, String(offset));
    draw();
  };

  // What follows from the clock alone: whether it counts yet or still, which day is called today.
  const dayOf = (seconds) => Math.floor((seconds + CHINA_S) / DAY_S);
  const timely = () => {
    const page = pass();
    const seconds = now() / 1000;
    const { starts, ends, near } = page.dataset;
    page.dataset.phase = seconds < Number(starts) ? "before" : seconds < Number(ends) ? "now" : "after";
    for (const each of page.querySelectorAll("[data-day]")) {
      const away = Math.round(Date.parse(`${each.dataset.day}T00:00Z`) / 1000 / DAY_S) - dayOf(seconds);
      if (each.classList.contains("near")) each.textContent = near.split(" ")[away] ?? "";
      else each.hidden = away !== 0;
    }
  };

  let secret = null;
  const draw = async () => {
    const { text, key } = pass().dataset;
    if (!key) return;
    if (!globalThis.crypto?.subtle) {
      pass().querySelector(".unable").hidden = false;
      pass().querySelector(".qr-box").hidden = true;
      return;
    }
    if (secret?.from !== key) secret = { from: key, made: await moving.key(key) };
    const { path: dark, side } = moving.drawing(await moving.text(text, secret.made, Math.floor(now() / 1000)));
    const qr = pass().querySelector(".qr");
    qr.setAttribute("viewBox", `0 0 ${side} ${side}`);
    qr.querySelector("path").setAttribute("d", dark);
  };

  // A code that is held out must not go dark in front of the reader.
  let lock = null;
  const stayAwake = async () => {
    if (!pass().querySelector(".qr") || !navigator.wakeLock || document.hidden || (lock && !lock.released)) return;
    try {
      lock = await navigator.wakeLock.request("screen");
    } catch {
      // The battery is low or the browser does not want to: the page works without it.
    }
  };

  const reached = (isReached) => {
    pass().querySelector(".offline").hidden = isReached;
  };

  const files = () => {
    const found = new Set();
    for (const each of document.querySelectorAll("link[href], script[src], img[src], use")) {
      found.add(each.getAttribute("href")?.split("#")[0] ?? each.getAttribute("src"));
    }
    return [...found].filter((each) => each?.startsWith("/static/"));
  };
  const keep = async (answer) => {
    if (!globalThis.caches) return;
    await (await caches.open("visitor-pages")).put(path, answer);
    const kept = await caches.open("visitor-files");
    for (const each of files()) if (!(await kept.match(each))) await kept.add(each);
  };

  const take = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("pass");
    if (!fresh) return location.reload();
    const before = pass().dataset.version;
    pass().replaceWith(document.adoptNode(fresh));
    if (fresh.dataset.version !== before) {
      document.getElementById("said").textContent = [...fresh.querySelectorAll("h1, .used")].map((each) => each.textContent).join(" ");
    }
    setClock(Number(fresh.dataset.now));
    timely();
    stayAwake();
  };
  const refresh = async () => {
    try {
      const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), headers: { Accept: "text/html" } });
      if (answer.status === 404) return forget();
      if (!answer.ok) return reached(true);
      const copy = answer.clone();
      take(await answer.text());
      await keep(copy);
      reached(true);
    } catch {
      reached(false);
    }
  };
  const forget = async () => {
    if (globalThis.caches) await (await caches.open("visitor-pages")).delete(path);
    location.reload();
  };

  // While it is looked at: told of changes, or looking by turns where no connection is to be had.
  let source = null;
  let turns = null;
  const close = () => {
    source?.close();
    source = null;
    clearInterval(turns);
    turns = null;
  };
  const lookByTurns = () => {
    turns ??= setInterval(refresh, LOOK_AGAIN_MS);
  };
  const follow = () => {
    if (document.hidden) return close();
    if (source || turns) return;
    source = new EventSource(`${path}/live`);
    source.addEventListener("open", () => reached(true));
    source.addEventListener("page", (event) => {
      const [version, time] = event.data.split(" ");
      setClock(Number(time));
      if (version !== pass().dataset.version) refresh();
    });
    source.addEventListener("error", (event) => {
      refresh();
      if (event.target.readyState === EventSource.CLOSED) lookByTurns();
    });
  };

  const seen = () => {
    timely();
    draw();
    stayAwake();
    follow();
  };
  document.addEventListener("visibilitychange", seen);
  addEventListener("pageshow", seen);
  addEventListener("pagehide", close);
  addEventListener("online", refresh);
  addEventListener("offline", () => reached(false));
  setInterval(timely, 1_000);
  setInterval(draw, NEW_CODE_MS);

  (async () => {
    if (!("serviceWorker" in navigator)) return;
    const isKept = navigator.serviceWorker.controller !== null;
    await navigator.serviceWorker.register("/visitor-worker.js", { scope: "/v/" });
    if (!isKept) await refresh();
  })();
})();
