// The guard's page and the alarms: what changes shows by itself, a code is read by the camera, a verdict fills
// the screen. Without this script the lists and every form work as they are.
(() => {
  "use strict";

  const tell = (name) => document.body.dispatchEvent(new Event(name));
  const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

  // A browser lets a page make itself felt only after it was touched, and complains otherwise.
  const mayBeFelt = () => navigator.userActivation?.hasBeenActive;
  const shake = (pattern) => { if (mayBeFelt()) navigator.vibrate?.(pattern); };
  const beep = (hertz, times) => {
    if (!mayBeFelt() || !("AudioContext" in window)) return;
    const sound = new AudioContext();
    for (let n = 0; n < times; n += 1) {
      const tone = sound.createOscillator();
      tone.frequency.value = hertz;
      tone.connect(sound.destination);
      tone.start(sound.currentTime + n * 0.4);
      tone.stop(sound.currentTime + n * 0.4 + 0.2);
    }
    setTimeout(() => sound.close(), times * 400 + 500);
  };

  // Each critical alarm makes itself felt once in a browser.
  const HEARD = "linli-critical";
  const listen = () => {
    const open = [...document.querySelectorAll("[data-critical][data-state=OPEN]")].map((each) => each.dataset.critical);
    const heard = JSON.parse(sessionStorage.getItem(HEARD) || "[]");
    if (open.some((id) => !heard.includes(id)) && mayBeFelt()) {
      shake([400, 200, 400, 200, 400]);
      beep(880, 3);
      sessionStorage.setItem(HEARD, JSON.stringify(open));
    }
  };
  listen();
  document.addEventListener("pointerdown", () => setTimeout(listen));

  // A note that somebody is writing is not taken away: the list waits until it is sent or put aside.
  const isBeingWritten = () => document.querySelector(".alarm details[open]");
  let isListDue = false;
  const renewList = () => {
    if (!isListDue || isBeingWritten()) return;
    isListDue = false;
    tell("alarm-list-changed");
  };
  setInterval(renewList, 3000);

  // Several changes at once are one look; without a stream the page looks now and then.
  const due = new Set();
  let looked = Date.now();
  let timer = 0;
  const look = () => {
    timer = 0;
    looked = Date.now();
    if (due.has("visits")) tell("visits-changed");
    if (due.has("alarms")) {
      tell("alarms-changed");
      isListDue = true;
      renewList();
    }
    due.clear();
  };
  const changed = (what) => {
    due.add(what);
    timer ||= setTimeout(look, 250);
  };

  let source = null;
  let after = document.querySelector("[data-bell]").dataset.after;
  const close = () => {
    source?.close();
    source = null;
  };
  const follow = () => {
    if (document.hidden) return close();
    if (source) return;
    source = new EventSource(`/staff/guard/live?after=${encodeURIComponent(after)}`);
    for (const what of ["visits", "alarms"]) {
      source.addEventListener(what, (event) => {
        after = event.lastEventId;
        changed(what);
      });
    }
    source.addEventListener("over", close);
  };
  const isFollowing = () => source?.readyState === EventSource.OPEN;
  if (after) {
    document.addEventListener("visibilitychange", follow);
    addEventListener("pagehide", close);
    addEventListener("pageshow", follow);
    follow();
  }
  setInterval(() => {
    const patience = isFollowing() ? 300_000 : 20_000;
    if (document.hidden || Date.now() - looked < patience) return;
    changed("visits");
    changed("alarms");
  }, 5000);

  const verdicts = document.getElementById("verdict");
  let resume = () => {};
  const outside = () => [
    ...document.querySelectorAll(".side, .top, .skip"), ...[...document.getElementById("main").children].filter((each) => each !== verdicts),
  ];
  const cover = (isCovered) => { for (const each of outside()) each.inert = isCovered; };
  const showVerdict = () => {
    const verdict = verdicts.querySelector("[data-verdict]");
    cover(Boolean(verdict));
    if (!verdict) return;
    verdict.focus();
    shake(verdict.dataset.verdict === "yes" ? 80 : [250, 120, 250]);
    if (verdict.dataset.verdict === "no") beep(220, 1);
    const back = Number(verdict.dataset.back);
    if (back) setTimeout(() => { if (verdict.isConnected) verdict.querySelector("[data-again]").click(); }, back * 1000);
  };
  const closeVerdict = () => {
    verdicts.replaceChildren();
    cover(false);
    resume();
  };
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === verdicts) showVerdict();
    if (event.detail.target.id === "strip") listen();
  });
  verdicts?.addEventListener("click", (event) => {
    const again = event.target.closest("[data-again]");
    if (!again || again.pathname !== location.pathname) return;
    event.preventDefault();
    closeVerdict();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") verdicts?.querySelector("[data-again]")?.click();
  });
  if (verdicts) showVerdict();

  const camera = document.querySelector(".camera");
  if (!camera) return;
  const video = camera.querySelector("video");
  const torch = camera.querySelector(".torch");
  const form = document.getElementById("scanned");
  const state = (name) => {
    for (const text of camera.querySelectorAll("[data-camera-is]")) text.hidden = text.dataset.cameraIs !== name;
    video.hidden = camera.querySelector(".camera-frame").hidden = name !== "on";
  };

  const load = (address) => new Promise((done, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src: address, onload: done, onerror: failed });
    document.head.append(script);
  });
  const detecting = async () => {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async () => (await detector.detect(video))[0]?.rawValue || "";
  };
  const decoding = async () => {
    await load(camera.dataset.reader);
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    return async () => {
      const scale = Math.min(1, 900 / Math.max(video.videoWidth, video.videoHeight));
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      pen.drawImage(video, 0, 0, canvas.width, canvas.height);
      const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
      return jsQR(picture.data, picture.width, picture.height, { inversionAttempts: "dontInvert" })?.data || "";
    };
  };
  const isBuiltIn = async () =>
    "BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code");

  // What still lies before the camera after a verdict is not read at once again.
  let last = { text: "", at: 0 };
  let isPaused = Boolean(verdicts.firstElementChild);
  resume = () => {
    last.at = Date.now();
    isPaused = false;
  };
  const isNew = (text) => text && (text !== last.text || Date.now() - last.at > 4000);
  const send = (text) => {
    isPaused = true;
    last = { text, at: Date.now() };
    form.elements.text.value = text.slice(0, 2000);
    form.requestSubmit();
  };
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt === form && !verdicts.firstElementChild) resume();
  });

  let stream = null;
  const reading = async (read) => {
    while (stream) {
      if (!isPaused && video.readyState >= 2) {
        const text = await read().catch(() => "");
        if (stream && !isPaused && isNew(text)) send(text);
      }
      await sleep(120);
    }
  };
  const stop = () => {
    for (const track of stream?.getTracks() || []) track.stop();
    stream = null;
  };
  const begin = async () => {
    if (document.hidden) return stop();
    if (stream) return;
    if (!navigator.mediaDevices?.getUserMedia) return state(isSecureContext ? "none" : "insecure");
    const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
      video.srcObject = stream;
      await video.play();
      const read = await ((await isBuiltIn()) ? detecting() : decoding());
      torch.hidden = !stream.getVideoTracks()[0].getCapabilities?.().torch;
      state("on");
      reading(read);
    } catch (error) {
      stop();
      state(error.name === "NotAllowedError" ? "denied" : "none");
    }
  };
  let isLit = false;
  torch.addEventListener("click", () => {
    isLit = !isLit;
    stream?.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: isLit }] });
  });
  document.addEventListener("visibilitychange", begin);
  addEventListener("pagehide", stop);
  begin();
})();
