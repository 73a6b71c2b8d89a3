import { text } from "../page.js";

/** What every card of a vehicle says first. */
export const head = (vehicle) => ({
  kind: vehicle.kind,
  title: text(`kind_${vehicle.kind}`),
  code: vehicle.code,
});
