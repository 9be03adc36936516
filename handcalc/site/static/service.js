"use strict";
// Keeps the site for when there is no network. Its name says what is in it: another site is another name, and the old one is dropped.
const SITE = "{site}";
const FILES = ["{files}"];

self.addEventListener("install", (event) => {
  const fresh = FILES.map((file) => new Request(file, { cache: "no-cache" })); // none that the browser kept of another site
  event.waitUntil(caches.open(SITE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const own = new URL(self.registration.scope).pathname;
  const drop = async () => {
    for (const name of await caches.keys()) {
      const first = name.startsWith("handcalc-") && name !== SITE && (await (await caches.open(name)).keys())[0];
      if (first && new URL(first.url).pathname.startsWith(own)) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(drop());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  const kept = async () => {
    const cache = await caches.open(SITE);
    const found = await cache.match(url.pathname.endsWith("/index.html") ? "./" : event.request, { ignoreSearch: true });
    return found ?? fetch(event.request);
  };
  event.respondWith(kept());
});
