/* Keeps the telephone's page and what draws it, so that it opens without a connection. Nobody's data passes through here: the
   round and what is sent go to the network or nowhere. */
"use strict";
const KEPT = "huimin-visits-{{ script }}";
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(
  caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith("huimin-visits-") && name !== KEPT).map((name) => caches.delete(name)))).then(() => self.clients.claim())
));
self.addEventListener("message", (event) => {
  if (event.data && event.data.keep) event.waitUntil(caches.open(KEPT).then((cache) => Promise.all(event.data.keep.map((address) =>
    fetch(address, { credentials: "same-origin" }).then((answer) => { if (answer.ok && !answer.redirected) return cache.put(address, answer); }).catch(() => undefined)))));
});
const fresh = (request) => fetch(request).then((answer) => {
  if (answer.ok && !answer.redirected) { const copy = answer.clone(); caches.open(KEPT).then((cache) => cache.put(new URL(request.url).pathname, copy)); }
  return answer;
}).catch(() => caches.match(new URL(request.url).pathname).then((kept) => kept || Response.error()));
self.addEventListener("fetch", (event) => {
  const at = new URL(event.request.url);
  if (event.request.method !== "GET" || at.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && at.pathname === "{% url 'visit-phone' %}") event.respondWith(fresh(event.request));
  else if (at.pathname.startsWith("/static/")) event.respondWith(caches.match(event.request).then((kept) => kept || fetch(event.request)));
});
