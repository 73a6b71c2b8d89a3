// The worker's part for notifications: show what arrives, and lead to the page it is about.

self.addEventListener("push", (event) => {
  const told = event.data?.json();
  if (!told) return;
  const { title, body, tag, lang, path } = told;
  event.waitUntil(self.registration.showNotification(title, { body, tag, lang, data: { path }, renotify: true, icon: SHELL.icon, badge: SHELL.icon }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data?.path));
});

/** To the page, in a window that is open already if there is one; only ever to a page of ours. */
async function lead(path) {
  const address = new URL(path || "/", self.location.origin);
  if (address.origin !== self.location.origin) return undefined;
  const windows = await self.clients.matchAll({ type: "window" });
  const there = windows.find(({ url }) => new URL(url).pathname === address.pathname);
  if (there) return there.focus();
  return self.clients.openWindow(address.href);
}
