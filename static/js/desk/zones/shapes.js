// Zones as GeoJSON, without a map and without a page: corners, order, catching on what is there.

const DIGITS = 1e7;
// A new zone stands before the first that is more general: the first that says something decides.
const ORDER = ["bay", "no_ride", "no_park", "slow", "operating"];

export const rounded = (degrees) => Math.round(degrees * DIGITS) / DIGITS;
export const copyOf = (value) => JSON.parse(JSON.stringify(value));

/** Every corner with the ring it stands in; the last of a ring is its first and is not told. */
export function cornersOf({ type, coordinates }) {
  const polygons = type === "Polygon" ? [coordinates] : coordinates;
  return polygons.flatMap((rings) => rings.flatMap((ring) => ring.slice(0, -1).map((spot, place) => ({ ring, place, spot }))));
}

/** Between each corner and the next of its ring. */
export function middlesOf(geometry) {
  return cornersOf(geometry).map(({ ring, place, spot }) => {
    const next = ring[place + 1];
    return [(spot[0] + next[0]) / 2, (spot[1] + next[1]) / 2];
  });
}

export function moveCorner(geometry, number, [lon, lat]) {
  const { ring, place } = cornersOf(geometry)[number];
  ring[place] = [rounded(lon), rounded(lat)];
  if (place === 0) ring[ring.length - 1] = [...ring[0]];
}

/** A new corner after that one, at `spot` or half way to the next. */
export function insertCorner(geometry, number, spot = middlesOf(geometry)[number]) {
  const { ring, place } = cornersOf(geometry)[number];
  ring.splice(place + 1, 0, spot.map(rounded));
}

/** Take a corner away; an area keeps three. Whether it could be. */
export function deleteCorner(geometry, number) {
  const { ring, place } = cornersOf(geometry)[number];
  if (ring.length <= 4) return false;
  ring.splice(place, 1);
  ring[ring.length - 1] = [...ring[0]];
  return true;
}

export function placeFor(features, kind) {
  const later = features.findIndex(({ properties }) => ORDER.indexOf(properties.kind) > ORDER.indexOf(kind));
  return later < 0 ? features.length : later;
}

/** A code that no zone has yet. */
export function freeCode(features, kind) {
  const taken = new Set(features.map(({ properties }) => properties.code));
  for (let number = features.length + 1; ; number += 1) {
    const code = `${kind.replace("_", "-")}-${number}`;
    if (!taken.has(code)) return code;
  }
}

export function newZone(features, kind, ring) {
  const code = freeCode(features, kind);
  const rules = kind === "slow" ? [{ maximum_speed_kmh: 6 }] : [];
  return {
    type: "Feature",
    geometry: { type: "Polygon", coordinates: [[...ring, ring[0]].map((spot) => spot.map(rounded))] },
    properties: { code, name: { it: code }, kind, hub: null, capacity: null, rules },
  };
}

/**
 * Where a corner set at `spot` comes to lie: on a corner of another zone within `reach`, else on the
 * nearest point of an edge within half of it. `flat` makes pixels of degrees, `round` degrees again.
 */
export function caught(spot, geometries, { flat, round, reach }) {
  const here = flat(spot);
  const far = (other) => Math.hypot(other[0] - here[0], other[1] - here[1]);
  let best = { spot, off: Infinity };
  for (const geometry of geometries) {
    for (const { ring, place, spot: corner } of cornersOf(geometry)) {
      const [from, to] = [flat(corner), flat(ring[place + 1])];
      const off = far(from);
      if (off < reach && off < best.off) best = { spot: corner, off };
      const [point, away] = nearestOn(here, from, to);
      // A corner is worth more than the edge beside it.
      if (away < reach / 2 && away + reach / 2 < best.off) best = { spot: round(point), off: away + reach / 2 };
    }
  }
  return best.spot.map(rounded);
}

function nearestOn([x, y], [x1, y1], [x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const share = Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  const point = [x1 + share * dx, y1 + share * dy];
  return [point, Math.hypot(point[0] - x, point[1] - y)];
}
