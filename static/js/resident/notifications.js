// Add this very browser to the devices that are told; everything else on the page is a plain form.

import { post } from "../api.js";
import { busy, find, onAction, say } from "../dom.js";
import { keepAtHand } from "../offline/register.js";
import { page, text } from "../page.js";

const able = "PushManager" in window && "Notification" in window && window.isSecureContext;

/** What can be done here: add it, say why not, or nothing because it is there. */
async function offer() {
  if (!find("[data-add]")) return;
  if (!able) return reveal("[data-cannot]");
  if (Notification.permission === "denied") return reveal("[data-denied]");
  reveal("[data-add]");
}

function reveal(selector) {
  find(selector).hidden = false;
}

async function addDevice(button) {
  await busy(button, async () => {
    try {
      const permission = await Notification.requestPermission();
      if (permission !== "granted") return say(document.body, text("push_denied"));
      await keepAtHand("/worker.js", "/");
      await post("/me/push-devices", (await subscription()).toJSON());
      location.reload();
    } catch (error) {
      say(document.body, error.status ? error.message : text("push_failed"));
    }
    return undefined;
  });
}

/** The browser's subscription under our key; one made under an older key is of no use any more. */
async function subscription() {
  const { pushManager } = await navigator.serviceWorker.ready;
  const key = bytes(page.application_key);
  const known = await pushManager.getSubscription();
  if (known && !same(new Uint8Array(known.options.applicationServerKey ?? []), key)) await known.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

const same = (one, other) => one.length === other.length && one.every((value, place) => value === other[place]);

function bytes(base64url) {
  const plain = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

onAction(document.body, {
  addDevice,
});
offer();
