// A map that comes after what is to be read: the library weighs more than the page, and the list says
// the same. What is asked of it before is done when it is there.

const STYLE = new URL("../../vendor/maplibre-gl-6.17.0/maplibre-gl.css", import.meta.url);
const METRES_PER_PIXEL = 78271.517;

export class LaterMap {
  /** As CityMap; nothing is fetched until `load()`. */
  constructor(element, options) {
    this.element = element;
    this.options = { zoom: 14, ...options };
    this.map = null;
    this.loaded = new Promise((arrived) => {
      this.arrived = arrived;
    });
  }

  /** Fetch the library, once, after the browser has painted what is there by now. */
  load() {
    this.coming ??= this.fetch().catch(() => {
      // Without a network the page goes on without a map; who comes back to it may try again.
      this.coming = null;
    });
    return this.coming;
  }

  async fetch() {
    await painted();
    // The library first and with the others: asked for by map.js only, it would come a round trip later.
    const library = import("../../vendor/maplibre-gl-6.17.0/maplibre-gl.mjs");
    const [{ CityMap }] = await Promise.all([import("../map.js"), styled(), library]);
    this.map = new CityMap(this.element, this.options);
    if (this.aim) this.map.goTo(this.aim);
    this.arrived(this.map);
  }

  async showAreas(...what) {
    return (await this.loaded).showAreas(...what);
  }

  async showPoints(...what) {
    return (await this.loaded).showPoints(...what);
  }

  async mark(place) {
    return (await this.loaded).mark(place);
  }

  async showMe(place) {
    return (await this.loaded).showMe(place);
  }

  onPick(use) {
    this.loaded.then((map) => map.onPick(use));
  }

  onMoved(use) {
    this.loaded.then((map) => map.onMoved(use));
  }

  goTo(place) {
    if (this.map) return this.map.goTo(place);
    this.aim = place;
    const { lon, lat, zoom = this.options.zoom } = place;
    this.options = { ...this.options, lon, lat, zoom };
    return undefined;
  }

  /** The middle of what is seen, or will be, and how far it reaches. */
  view() {
    if (this.map) return this.map.view();
    const { lon, lat, zoom } = this.options;
    const reach = Math.hypot(this.element.clientWidth, this.element.clientHeight) / 2;
    const scale = (METRES_PER_PIXEL * Math.cos((lat * Math.PI) / 180)) / 2 ** zoom;
    return { lon, lat, zoom, radius_m: Math.round(reach * scale) };
  }
}

function painted() {
  return new Promise((done) => {
    // A page in the background paints nothing, and is not kept waiting for that.
    if (document.hidden) done();
    else requestAnimationFrame(() => setTimeout(done));
  });
}

function styled() {
  return new Promise((done, failed) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: STYLE.href });
    link.addEventListener("load", done);
    link.addEventListener("error", failed);
    // Before the house's own sheets, which have the last word.
    document.head.prepend(link);
  });
}
