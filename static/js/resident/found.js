// A vehicle as its rider found it: photos before the ride, or while it has just begun.

import { get, upload } from "../api.js";
import { busy, fill, find, say } from "../dom.js";
import { text } from "../page.js";

export class Found {
  /** `place` holds the parts of `resident/parts/found.html`; `reservation` is whose photos they are. */
  constructor(place, reservation) {
    this.place = place;
    this.path = `/reservations/${reservation}/photos`;
    this.sent = 0;
    find("[data-found-photo]", place).addEventListener("change", ({ target }) => this.send(target));
    get(this.path).then(({ results }) => this.count(results.length), () => {});
  }

  count(sent) {
    this.sent = Math.max(sent, this.sent);
    fill(this.place, { found_sent: this.sent ? text("found_sent", { count: this.sent }) : null });
  }

  async send(input) {
    const [photo] = input.files;
    if (!photo) return;
    const form = new FormData();
    form.append("photo", photo);
    form.append("note", find("[data-found-note]", this.place).value);
    say(this.place, "");
    await busy(input, async () => {
      try {
        await upload(this.path, form);
        find("[data-found-note]", this.place).value = "";
        this.count(this.sent + 1);
      } catch (error) {
        say(this.place, error.message);
      }
    });
    input.value = "";
  }
}
