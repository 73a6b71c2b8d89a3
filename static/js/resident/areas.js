// The ground of every resident's map: districts, the zones' rules, and hubs.

import { get } from "../api.js";
import { named } from "../page.js";

/** Draw what the server knows; a part that does not come leaves the rest standing. */
export async function drawAreas(map) {
  const [districts, zones] = await Promise.all([quietly("/districts"), quietly("/zones")]);
  if (districts) await map.showAreas("districts", labelled(districts), "district");
  if (zones) await map.showAreas("zones", labelled(zones), "zone");
}

const quietly = (path) => get(path).catch(() => null);

function labelled(collection) {
  const features = collection.features.map((feature) => ({
    ...feature,
    properties: { ...feature.properties, label: named(feature.properties.name) },
  }));
  return { type: "FeatureCollection", features };
}
