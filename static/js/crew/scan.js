// Read a sticker with the camera where the phone can, else by typing; both end in the same code.

import { find, say } from "../dom.js";
import { text } from "../page.js";

const LOOK_MS = 250;
const FORMATS = ["qr_code", "code_128", "code_39", "data_matrix"];

const dialog = () => find("[data-scan]");

/** Resolves to what was read or typed, or null if the person gave up. */
export async function scan(title) {
  const box = dialog();
  const [field, video] = [find("input", box), find("video", box)];
  find("[data-f=title]", box).textContent = title;
  field.value = "";
  say(box, "");
  box.returnValue = "";
  box.showModal();
  const camera = await look(box, video);
  if (!camera) field.focus();
  return new Promise((resolve) => {
    box.addEventListener(
      "close",
      () => {
        camera?.stop();
        resolve(box.returnValue === "ok" ? code(field.value) : null);
      },
      { once: true },
    );
  });
}

/** Stickers are addresses that end in the code; batteries have it bare. */
function code(read) {
  const words = read.trim();
  const last = words.split(/[?#]/)[0].split("/").filter(Boolean).pop() || words;
  return (/^https?:/i.test(words) ? last : words).toUpperCase();
}

async function look(box, video) {
  video.hidden = true;
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices) {
    say(box, text("scan_by_hand"), { tone: "" });
    return null;
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    say(box, text("scan_no_camera"), { tone: "" });
    return null;
  }
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  const detector = new window.BarcodeDetector({ formats: FORMATS });
  const timer = setInterval(async () => {
    const [found] = await detector.detect(video).catch(() => []);
    if (!found || !box.open) return;
    find("input", box).value = found.rawValue;
    box.close("ok");
  }, LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
    },
  };
}
