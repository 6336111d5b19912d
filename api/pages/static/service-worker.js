// Shows what arrives while no page is open, and leads to it. It fetches nothing and keeps nothing.
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

const read = (data) => {
  try {
    const told = data.json();
    return told && typeof told === "object" ? told : {};
  } catch {
    return {};
  }
};

// Only pages of the staff: what a message says must not lead a browser elsewhere.
const destination = (link) =>
  typeof link === "string" && /^\/staff(?:\/[a-z0-9-]+)*(?:\?[\w.~%=&+-]*)?$/.test(link) ? link : "/staff/inbox";

self.addEventListener("push", (event) => {
  const told = read(event.data);
  const title = String(told.title || "邻里");
  const shown = { body: String(told.body || ""), data: { link: destination(told.link) }, lang: "zh-CN" };
  if (told.tag) Object.assign(shown, { tag: String(told.tag), renotify: true });
  event.waitUntil(self.registration.showNotification(title, shown));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.link));
});

const open = async (link) => {
  const windows = await self.clients.matchAll({ type: "window" });
  const staff = windows.find((each) => new URL(each.url).pathname.startsWith("/staff"));
  if (!staff) return self.clients.openWindow(link);
  await staff.focus();
  return staff.navigate(link);
};
