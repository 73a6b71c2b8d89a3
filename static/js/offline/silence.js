// Whether the server is heard; while it is not, the page says since when, and what can be done.

import { get } from "../api.js";
import { fill, find } from "../dom.js";
import { moment } from "../page.js";
import { forget, recall, remember } from "./last-known.js";

const HALF_SILENT_MS = 15000;

/** Reads one address again and again for a page under `root`; `isOver` says when nothing more is kept. */
export class Heard {
  constructor(root, path, isOver) {
    Object.assign(this, { root, path, isOver, at: 0 });
    window.addEventListener("offline", () => this.silent());
    setInterval(() => this.at && Date.now() - this.at > HALF_SILENT_MS && !navigator.onLine && this.silent(), 5000);
  }

  /** The newest answer; without a network the error goes on, and the page says so. */
  async read() {
    try {
      return this.heard(await get(this.path));
    } catch (error) {
      if (!error.status) this.silent();
      throw error;
    }
  }

  heard(answer) {
    this.at = Date.now();
    if (this.isOver(answer)) forget(this.path);
    else remember(this.path, answer);
    fill(this.root, { silent: null });
    return answer;
  }

  /** What was known when it was last heard, or null. */
  last() {
    const kept = recall(this.path);
    if (!kept) return null;
    this.at = kept.at;
    this.silent();
    return kept.answer;
  }

  silent() {
    if (!find("[data-if=silent]", this.root)) return;
    fill(this.root, { silent: true, heard_at: this.at ? moment(new Date(this.at).toISOString(), { timeStyle: "short" }) : null });
  }
}
