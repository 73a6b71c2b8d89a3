// Ask for the service worker of this page's scope; a browser without one, or a page without https, goes on as ever.

/** Resolves to the registration, or null where there is none to be had. */
export async function keepAtHand(address, scope) {
  if (!("serviceWorker" in navigator) || !window.isSecureContext) return null;
  try {
    return await navigator.serviceWorker.register(address, { scope, updateViaCache: "none" });
  } catch {
    return null;
  }
}

/** Forget the pages that any of our workers keeps, for whoever logs out. */
export async function forgetPages() {
  const known = (await navigator.serviceWorker?.getRegistrations()) || [];
  for (const { active } of known) active?.postMessage("forget");
}
