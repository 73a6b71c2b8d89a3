// The map widget: MapLibre on a plain ground with our own areas and points.
// It knows colours and shapes, not what a booking is; residents' pages and the desk share it.

import * as maplibre from "../vendor/maplibre-gl-6.17.0/maplibre-gl.mjs";
import { loadPins, pinName } from "./pins.js";

const FONT = ["Hanken Grotesk"];
const CLUSTERS_UNTIL_ZOOM = 15;
const CLUSTER_RADIUS_PX = 36;
const FINGER_PX = 8;

/** A colour of the house, in today's theme. */
export function tone(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export class CityMap {
  /** `element` gets `data-ready` once everything first asked for is drawn; `words` are MapLibre's own. */
  constructor(element, { lon, lat, zoom = 14, label, controls = true, words = {} }) {
    this.element = element;
    this.looks = [groundLooks];
    this.watchers = [];
    this.corners = new Map();
    this.map = new maplibre.Map({
      container: element,
      style: { version: 8, sources: {}, layers: groundLooks() },
      center: [lon, lat],
      zoom,
      minZoom: 9,
      maxZoom: 19,
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: false,
      fadeDuration: 0,
      locale: words,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.getCanvas().setAttribute("aria-label", label || "");
    if (controls) {
      this.map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
    }
    this.map.on("click", (event) => this.picked(event));
    this.ready = this.map.once("load").then(() => loadPins(this.map));
    this.map.once("idle", () => this.element.setAttribute("data-ready", "yes"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  /** Areas of GeoJSON under the points; `kind` is "district", "zone" or "demand" and picks the look. */
  async showAreas(name, geojson, kind) {
    await this.ready;
    const names = asFeatures(geojson.features.map(nameSpot));
    if (this.map.getSource(name)) {
      this.map.getSource(name).setData(geojson);
      return this.map.getSource(`${name}-names`).setData(names);
    }
    this.map.addSource(name, { type: "geojson", data: geojson });
    // A polygon is cut into tiles and would be labelled in each; a point is labelled once.
    this.map.addSource(`${name}-names`, { type: "geojson", data: names });
    this.addLayers(() => AREA_LOOKS[kind](name), this.firstPointLayer());
    return undefined;
  }

  /** The way through these spots, [{lon, lat}, …], under the points. */
  async showWay(name, spots) {
    await this.ready;
    const way = { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: spots.map(({ lon, lat }) => [lon, lat]) } };
    const source = this.map.getSource(name);
    if (source) return source.setData(way);
    this.map.addSource(name, { type: "geojson", data: way });
    this.addLayers(() => wayLooks(name), this.firstPointLayer());
    return undefined;
  }

  /**
   * Points: [{id, lon, lat, pin, …}] with a pin of pins.js; far away they become counts. `aside`
   * moves them a little off the spot until one comes close, for what stands where others do.
   */
  async showPoints(name, points, { cluster = true, aside = false } = {}) {
    await this.ready;
    const geojson = asFeatures(points);
    const source = this.map.getSource(name);
    if (source) return source.setData(geojson);
    this.map.addSource(name, {
      type: "geojson",
      data: geojson,
      cluster,
      clusterMaxZoom: CLUSTERS_UNTIL_ZOOM,
      clusterRadius: CLUSTER_RADIUS_PX,
    });
    this.addLayers(() => pointLooks(name, aside));
    return undefined;
  }

  /** One chosen place, ringed; null takes the ring away. */
  mark(place) {
    return this.showSpot("chosen", place);
  }

  /** Where the person stands. */
  showMe(place) {
    return this.showSpot("me", place);
  }

  /** `use({layer, properties, lon, lat})` when a person picks a point, `use(null)` for the ground. */
  onPick(use) {
    this.watchers.push(use);
  }

  /** `use()` when the person has moved the map. */
  onMoved(use) {
    this.map.on("moveend", use);
  }

  /**
   * Corners a person may drag, `moved(number, {lon, lat})`; an empty list takes them away. Each
   * `className` is a set of its own.
   */
  showCorners(spots, moved, { className = "map-corner" } = {}) {
    for (const corner of this.corners.get(className) ?? []) corner.remove();
    const made = spots.map((spot, number) => {
      const element = document.createElement("span");
      element.className = className;
      const corner = new maplibre.Marker({ element, draggable: true }).setLngLat(spot).addTo(this.map);
      corner.on("dragend", () => {
        const { lng, lat } = corner.getLngLat();
        moved(number, { lon: lng, lat });
      });
      return corner;
    });
    this.corners.set(className, made);
  }

  /** A place in pixels of the map, and back: [x, y], [lon, lat]. */
  toPixels({ lon, lat }) {
    const { x, y } = this.map.project([lon, lat]);
    return [x, y];
  }

  toPlace([x, y]) {
    const { lng, lat } = this.map.unproject([x, y]);
    return [lng, lat];
  }

  /** All of a GeoJSON geometry in sight. */
  show({ coordinates }) {
    const flat = coordinates.flat(Infinity);
    const [lons, lats] = [0, 1].map((axis) => flat.filter((_, place) => place % 2 === axis));
    const box = [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.map.fitBounds(box, { padding: 60, maxZoom: 17, animate: !still, duration: 500 });
  }

  goTo({ lon, lat, zoom = this.map.getZoom(), below = 0 }) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const move = { center: [lon, lat], zoom, offset: [0, -below / 2] };
    return still ? this.map.jumpTo(move) : this.map.easeTo({ ...move, duration: 500 });
  }

  /** The middle of what is seen, and how far it reaches. */
  view() {
    const { lng, lat } = this.map.getCenter();
    const radius = this.map.getCenter().distanceTo(this.map.getBounds().getNorthEast());
    return { lon: lng, lat, radius_m: Math.round(radius), zoom: this.map.getZoom() };
  }

  async showSpot(name, place) {
    await this.ready;
    const geojson = asFeatures(place ? [{ lon: place.lon, lat: place.lat }] : []);
    const source = this.map.getSource(name);
    if (source) return source.setData(geojson);
    this.map.addSource(name, { type: "geojson", data: geojson });
    const look = () => [{ id: `${name}:spot`, type: "circle", source: name, paint: SPOT_LOOKS[name]() }];
    this.addLayers(look, name === "chosen" ? this.firstPointLayer() : undefined);
    return undefined;
  }

  // One listener for all layers; a finger is wider than a pin, so a little box is asked.
  async picked({ point: { x, y } }) {
    const layers = this.map.getStyle().layers.map(({ id }) => id).filter((id) => /:(pin|count)$/.test(id));
    const box = [[x - FINGER_PX, y - FINGER_PX], [x + FINGER_PX, y + FINGER_PX]];
    const [feature] = this.map.queryRenderedFeatures(box, { layers });
    if (!feature) return this.tell(null);
    const [lon, lat] = feature.geometry.coordinates;
    const { cluster_id: cluster } = feature.properties;
    if (cluster === undefined) {
      return this.tell({ layer: feature.source, properties: feature.properties, lon, lat });
    }
    const zoom = await this.map.getSource(feature.source).getClusterExpansionZoom(cluster);
    return this.goTo({ lon, lat, zoom });
  }

  tell(pick) {
    for (const use of this.watchers) use(pick);
  }

  firstPointLayer() {
    return this.map.getStyle().layers.find((layer) => /:(pin|count|spot)$/.test(layer.id))?.id;
  }

  addLayers(looks, before) {
    this.looks.push(looks);
    for (const layer of looks()) this.map.addLayer(layer, before);
  }

  // Colours come from the style sheet, so a change of theme only paints the same layers again.
  async repaint() {
    await loadPins(this.map);
    for (const layer of this.looks.flatMap((looks) => looks())) {
      for (const [name, value] of Object.entries(layer.paint || {})) {
        this.map.setPaintProperty(layer.id, name, value);
      }
    }
  }
}

function groundLooks() {
  return [{ id: "ground", type: "background", paint: { "background-color": tone("map-ground") } }];
}

function asFeatures(points) {
  return {
    type: "FeatureCollection",
    features: points.map(({ lon, lat, ...properties }) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [lon, lat] },
      properties,
    })),
  };
}

/** Where the name of an area stands: its given centre, else the middle of its box. */
function nameSpot({ geometry, properties }) {
  const { label, kind = "", centre } = properties;
  if (centre) return { lon: centre[0], lat: centre[1], label, kind };
  const flat = geometry.coordinates.flat(geometry.type === "MultiPolygon" ? 2 : 1);
  const middle = (axis) => {
    const values = flat.map((spot) => spot[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  };
  return { lon: middle(0), lat: middle(1), label, kind };
}

const SPOT_LOOKS = {
  chosen: () => ({
    "circle-radius": 25,
    "circle-color": tone("sun"),
    "circle-opacity": 0.45,
    "circle-stroke-color": tone("sun"),
    "circle-stroke-width": 2.5,
  }),
  me: () => ({
    "circle-radius": 8,
    "circle-color": "#2f6bde",
    "circle-stroke-color": "#ffffff",
    "circle-stroke-width": 3,
  }),
};

const wayLooks = (source) => [
  {
    id: `${source}:way`, type: "line", source,
    layout: { "line-join": "round", "line-cap": "round" },
    paint: { "line-color": tone("brand"), "line-width": 3, "line-opacity": 0.65, "line-dasharray": [1.5, 1.5] },
  },
];

const AREA_LOOKS = {
  district: (source) => [
    { id: `${source}:fill`, type: "fill", source, paint: { "fill-color": tone("map-district") } },
    {
      id: `${source}:line`, type: "line", source,
      paint: { "line-color": tone("map-street"), "line-width": ["interpolate", ["linear"], ["zoom"], 10, 1, 15, 3] },
    },
    {
      id: `${source}:label`, type: "symbol", source: `${source}-names`, minzoom: 11.5,
      layout: {
        "text-field": ["get", "label"], "text-font": FONT, "text-max-width": 7,
        "text-size": ["interpolate", ["linear"], ["zoom"], 11, 10, 15, 14],
        "text-letter-spacing": 0.06,
      },
      paint: { "text-color": tone("map-label"), "text-halo-color": tone("map-district"), "text-halo-width": 1.5 },
    },
  ],
  demand: (source) => [
    {
      id: `${source}:fill`, type: "fill", source,
      paint: { "fill-color": tone("charger"), "fill-opacity": ["*", 0.13, ["get", "step"]] },
    },
    {
      id: `${source}:label`, type: "symbol", source: `${source}-names`, minzoom: 11,
      layout: { "text-field": ["get", "label"], "text-font": FONT, "text-size": 13, "text-max-width": 7 },
      paint: { "text-color": tone("ink"), "text-halo-color": tone("surface"), "text-halo-width": 1.5 },
    },
  ],
  zone: (source) => [
    {
      id: `${source}:fill`, type: "fill", source, filter: ["!=", ["get", "kind"], "operating"],
      paint: { "fill-color": zoneColour(), "fill-opacity": ["match", ["get", "kind"], "bay", 0.3, 0.13] },
    },
    {
      id: `${source}:line`, type: "line", source,
      paint: {
        "line-color": zoneColour(),
        "line-width": ["match", ["get", "kind"], "operating", 3, 1.6],
        "line-dasharray": [2.5, 1.5],
        "line-opacity": 0.8,
      },
    },
    {
      id: `${source}:label`, type: "symbol", source: `${source}-names`, minzoom: 13.5,
      filter: ["!=", ["get", "kind"], "operating"],
      layout: { "text-field": ["get", "label"], "text-font": FONT, "text-size": 12, "text-max-width": 8 },
      paint: { "text-color": zoneColour(), "text-halo-color": tone("map-district"), "text-halo-width": 1.5 },
    },
  ],
};

function zoneColour() {
  return [
    "match", ["get", "kind"],
    "no_park", tone("alert"), "no_ride", tone("alert"), "slow", tone("charger"), "bay", tone("car"),
    tone("brand"),
  ];
}

// Close up everything stands where it is; the places of one hub are too near to each other before.
const ASIDE = ["interpolate", ["linear"], ["zoom"], 15, ["literal", [25, -22]], 16.2, ["literal", [0, 0]]];

function pointLooks(source, aside) {
  return [
    {
      id: `${source}:count`, type: "circle", source, filter: ["has", "point_count"],
      paint: {
        "circle-color": tone("surface"),
        "circle-radius": ["step", ["get", "point_count"], 15, 10, 18, 50, 22, 200, 27],
        "circle-stroke-color": tone("ink"),
        "circle-stroke-width": 2.5,
      },
    },
    {
      id: `${source}:number`, type: "symbol", source, filter: ["has", "point_count"],
      layout: {
        "text-field": ["get", "point_count_abbreviated"], "text-font": FONT, "text-size": 14,
        "text-allow-overlap": true,
      },
      paint: { "text-color": tone("ink") },
    },
    {
      id: `${source}:pin`, type: "symbol", source, filter: ["!", ["has", "point_count"]],
      layout: {
        "icon-image": ["get", "pin"],
        "icon-allow-overlap": true,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 12, 0.62, 15, 1],
      },
      paint: { "icon-translate": aside ? ASIDE : [0, 0] },
    },
  ];
}

export { pinName };
