// The city's districts under whatever else a map of the desk shows.

import { get } from "../api.js";

export async function drawDistricts(map) {
  const districts = await get("/districts");
  for (const { properties } of districts.features) properties.label = properties.name;
  return map.showAreas("districts", districts, "district");
}
