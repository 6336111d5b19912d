// The bell follows the inbox while its page is seen, and a browser is made to show notices by itself.
(() => {
  "use strict";

  const bell = document.querySelector("[data-bell]");
  const account = bell.dataset.account;
  const session = bell.dataset.session;

  let unread = Number(bell.dataset.bell);
  const show = (count) => {
    const number = bell.querySelector("[data-count]");
    number.textContent = count > 99 ? "99+" : String(count);
    bell.querySelector("[data-some]").hidden = count === 0;
    bell.classList.add("changed");
    if (count > unread) document.body.dispatchEvent(new Event("unread-more"));
    unread = count;
  };

  // A page that nobody sees holds no connection: a browser has few for all pages of a site. What it
  // missed comes when it is seen again.
  let source = null;
  let after = bell.dataset.after;
  const close = () => {
    source?.close();
    source = null;
  };
  const follow = () => {
    if (document.hidden) return close();
    if (source) return;
    source = new EventSource(`/staff/inbox/live?after=${encodeURIComponent(after)}`);
    source.addEventListener("unread", (event) => {
      after = event.lastEventId;
      show(Number(event.data));
    });
    source.addEventListener("over", close);
  };
  if (after) {
    document.addEventListener("visibilitychange", follow);
    addEventListener("pagehide", close);
    addEventListener("pageshow", follow);
    follow();
  }

  const KEPT = "linli-push";
  const kept = () => JSON.parse(localStorage.getItem(KEPT) || "{}");
  const send = async (path, fields) => {
    const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-Form-Token"];
    const headers = { "HX-Request": "true", "X-Form-Token": token };
    const answer = await fetch(path, { method: "POST", headers, body: new URLSearchParams(fields) });
    if (answer.headers.has("HX-Redirect")) location.assign(answer.headers.get("HX-Redirect"));
    else if (answer.status !== 204) document.getElementById("notices").innerHTML = await answer.text();
    return answer.status === 204;
  };
  const register = async (subscription) => {
    const { endpoint, keys } = subscription.toJSON();
    const taken = await send("/staff/inbox/push", { endpoint, p256dh: keys.p256dh, auth: keys.auth });
    if (taken) localStorage.setItem(KEPT, JSON.stringify({ account, session }));
    return taken;
  };
  const subscribed = async () => {
    const worker = await navigator.serviceWorker.getRegistration("/");
    return (await worker?.pushManager.getSubscription()) || null;
  };

  // Registered browsers go with their session: who chose this one before has it again after signing in.
  const isSupported = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  const again = async () => {
    const { account: whose, session: when } = kept();
    if (whose !== account || when === session || Notification.permission !== "granted") return;
    const subscription = await subscribed();
    if (subscription) await register(subscription);
  };

  const panel = document.querySelector("[data-push]");
  const state = (name) => {
    for (const text of panel.querySelectorAll("[data-push-is]")) text.hidden = text.dataset.pushIs !== name;
    for (const button of panel.querySelectorAll("[data-push-do]")) {
      button.hidden = button.dataset.pushDo === "on" ? !["off", "failed"].includes(name) : name !== "on";
    }
  };
  const look = async () => {
    if (!isSupported) return state("unsupported");
    if (Notification.permission === "denied") return state("denied");
    const isOurs = kept().account === account;
    return state(isOurs && Notification.permission === "granted" && (await subscribed()) ? "on" : "off");
  };
  const turnOn = async () => {
    if ((await Notification.requestPermission()) !== "granted") return look();
    try {
      await navigator.serviceWorker.register("/service-worker.js");
      const worker = await navigator.serviceWorker.ready;
      const key = Uint8Array.from(atob(panel.dataset.push.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
      await register(await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
    } catch {
      return state("failed");
    }
    return look();
  };
  const turnOff = async () => {
    const subscription = await subscribed();
    localStorage.removeItem(KEPT);
    if (subscription) {
      await send("/staff/inbox/push/drop", { endpoint: subscription.endpoint });
      await subscription.unsubscribe();
    }
    return look();
  };
  (isSupported ? again() : Promise.resolve()).finally(() => {
    if (!panel) return;
    panel.querySelector('[data-push-do="on"]').addEventListener("click", turnOn);
    panel.querySelector('[data-push-do="off"]').addEventListener("click", turnOff);
    look();
  });
})();
