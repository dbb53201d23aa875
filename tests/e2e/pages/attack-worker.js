// A service worker that asks by itself, without CORS and with it, as soon as it is installed.
const asked = new URL(location).searchParams.get("ask");
self.addEventListener("install", (event) => {
  event.waitUntil(Promise.allSettled([fetch(asked, { mode: "no-cors" }), fetch(asked)]));
});
