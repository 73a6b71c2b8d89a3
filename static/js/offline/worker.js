// The service worker of one scope. The server puts `SHELL` in front: name, version, scope, pages, assets, parts.
// Static files come from the cache of their version, pages from the network first; nothing else is touched.

const FILES = `${SHELL.name}-files-${SHELL.version}`;
const PAGES = `${SHELL.name}-pages`;
// A van in a tunnel has a network that never answers.
const PATIENCE_MS = 4000;

if (SHELL.parts.length) importScripts(...SHELL.parts);

const plain = (address) => new URL(address, self.location.origin).pathname;
const assets = new Set(SHELL.assets.map(plain));
const pages = new Set(SHELL.pages.map(plain));
const visited = SHELL.visited.map((pattern) => new RegExp(pattern));
const MOST_VISITED = 6;
const isKept = (pathname) => pages.has(pathname) || visited.some((pattern) => pattern.test(pathname));

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});

async function install() {
  const files = await caches.open(FILES);
  await files.addAll(SHELL.assets.map((address) => new Request(address, { cache: "no-cache" })));
  await Promise.allSettled([...pages].map((address) => keep(address)));
  await self.skipWaiting();
}

self.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

async function activate() {
  const old = (await caches.keys()).filter((key) => key.startsWith(`${SHELL.name}-files-`) && key !== FILES);
  await Promise.all(old.map((key) => caches.delete(key)));
  await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && isKept(pathname)) event.respondWith(page(request, pathname));
  else if (request.mode === "navigate" && SHELL.instead) event.respondWith(fetch(request).catch(instead));
  else if (assets.has(pathname)) event.respondWith(file(request));
});

async function file(request) {
  const kept = await (await caches.open(FILES)).match(request, { ignoreSearch: true, ignoreVary: true });
  return kept || fetch(request);
}

/** From the network while it answers in time, else as it was last. */
async function page(request, pathname) {
  const asked = fetch(request).then(async (answer) => {
    await remember(pathname, answer.clone());
    return answer;
  });
  const kept = await (await caches.open(PAGES)).match(pathname, { ignoreVary: true });
  if (!kept) return SHELL.instead ? asked.catch(instead) : asked;
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  return Promise.race([asked.catch(() => kept), late]);
}

async function instead() {
  return (await (await caches.open(PAGES)).match(plain(SHELL.instead), { ignoreVary: true })) ?? Response.error();
}

async function keep(pathname) {
  await remember(pathname, await fetch(pathname, { credentials: "same-origin", cache: "no-cache" }));
}

/** The page as it is now; whoever was led away to log in, or is not let in, keeps none. */
async function remember(pathname, answer) {
  const kept = await caches.open(PAGES);
  const away = answer.redirected || answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404;
  if (answer.ok && !away) await put(kept, pathname, answer);
  else if (away) await kept.delete(pathname);
}

/** Pages that were only visited go again, the oldest first. */
async function put(kept, pathname, answer) {
  await kept.delete(pathname);
  await kept.put(pathname, answer);
  const old = (await kept.keys()).map(({ url }) => plain(url)).filter((one) => !pages.has(one));
  await Promise.all(old.slice(0, -MOST_VISITED).map((one) => kept.delete(one)));
}

self.addEventListener("message", (event) => {
  // Whoever logs out takes what was theirs along.
  if (event.data === "forget") event.waitUntil(caches.delete(PAGES));
});
