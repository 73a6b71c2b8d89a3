// Places of the city by name: districts, and hubs by name or address. All of it is ours; no geocoder is asked.

import { get } from "../api.js";
import { clone, fill, find } from "../dom.js";
import { named, text } from "../page.js";

const MOST = 6;
const SHORTEST = 2;

// "Città" is found by "citta".
const plain = (words) => words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export class Search {
  constructor(form, { onPlace }) {
    Object.assign(this, { form, onPlace, places: null });
    this.field = find("[data-search-text]", form);
    this.list = find("[data-search-places]", form);
    this.count = find("[data-search-count]", form);
    this.field.addEventListener("input", () => this.look());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.look().then(() => find("[data-do=go]", this.list)?.click());
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.list.hidden) {
        event.stopPropagation();
        this.close();
        this.field.focus();
      }
    });
  }

  async look() {
    const words = plain(this.field.value.trim());
    if (words.length < SHORTEST) {
      this.close();
      if (!words) this.onPlace(null);
      return;
    }
    const places = await this.known();
    if (words === plain(this.field.value.trim())) this.draw(matching(places, words));
  }

  /** Asked for when somebody first searches; a network that fails is asked again. */
  async known() {
    if (this.places) return this.places;
    const answers = await Promise.all([get("/hubs"), get("/districts")]).catch(() => null);
    if (!answers) return [];
    const [hubs, districts] = answers;
    this.places = [
      ...districts.features.map(({ properties: { name, centre } }) => place(named(name), "", centre)),
      ...hubs.features.map(({ properties: { name, address }, geometry }) => place(named(name), address, geometry.coordinates)),
    ];
    return this.places;
  }

  draw(found) {
    this.found = found;
    this.list.replaceChildren(...found.map((one, number) => this.row(one, number)));
    this.list.hidden = !found.length;
    this.count.textContent = found.length ? text("places_found", { count: found.length }) : text("places_none");
    this.count.classList.toggle("visually-hidden", found.length > 0);
  }

  row({ name, more }, number) {
    const row = fill(clone("search-place"), { name, more: more || null });
    find("button", row).dataset.number = number;
    return row;
  }

  go(button) {
    const { name, lon, lat } = this.found[Number(button.dataset.number)];
    this.field.value = name;
    this.close();
    this.field.focus();
    this.onPlace({ name, lon, lat });
  }

  clear() {
    this.field.value = "";
    this.close();
    this.onPlace(null);
  }

  close() {
    this.list.hidden = true;
    this.count.textContent = "";
  }
}

const place = (name, more, [lon, lat]) => ({ name, more, lon, lat, words: plain(`${name} ${more ?? ""}`) });

/** Names that begin with the words first, then those that hold all of them. */
function matching(places, words) {
  const parts = words.split(/\s+/);
  const fits = places.filter((one) => parts.every((part) => one.words.includes(part)));
  const begins = ({ words: name }) => Number(name.startsWith(words));
  return fits.sort((one, other) => begins(other) - begins(one) || one.name.localeCompare(other.name)).slice(0, MOST);
}
