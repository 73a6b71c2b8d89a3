// Pins are drawn from the same icon sheet as the page: a disc of the kind's colour, the glyph,
// and a ring that shows the battery in fifths.

const SIZE = 44;
const RATIO = 2;
const KINDS = ["scooter", "bicycle", "car", "charger", "parking"];
const STATES = ["", "dim", "alert"];
const STEPS = 5;

/** The pin of a kind with that battery (or none), in that state: "" | "dim" | "alert". */
export function pinName(kind, batteryPct = null, state = "") {
  const step = batteryPct === null || batteryPct === undefined ? 0 : Math.max(1, Math.ceil((batteryPct / 100) * STEPS));
  return [kind, step, state].filter((part) => part !== "").join("-");
}

/** Draw every pin once and give them to the map. */
export async function loadPins(map) {
  const glyphs = await readGlyphs();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  for (const kind of KINDS) {
    for (const state of STATES) {
      for (let step = 0; step <= STEPS; step += 1) {
        const name = [kind, step, state].filter((part) => part !== "").join("-");
        const image = drawPin(glyphs[kind], look(kind, state, colour), step);
        if (map.hasImage(name)) map.updateImage(name, image);
        else map.addImage(name, image, { pixelRatio: RATIO });
      }
    }
  }
}

function look(kind, state, colour) {
  const disc = state === "dim" ? colour("line-strong") : colour(state === "alert" ? "alert" : kind === "parking" ? "car" : kind);
  return { disc, glyph: colour("surface"), rim: colour("surface"), low: colour("alert"), solid: kind === "charger" };
}

let sheet;

function readGlyphs() {
  sheet ||= fetch(document.querySelector("link[data-icons]").href)
    .then((answer) => answer.text())
    .then((svg) => new DOMParser().parseFromString(svg, "image/svg+xml"))
    .then((tree) =>
      Object.fromEntries(KINDS.map((kind) => [kind, tree.querySelector(`#${kind} path`).getAttribute("d")])),
    );
  return sheet;
}

function drawPin(glyph, { disc, glyph: ink, rim, low, solid }, step) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE * RATIO;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.scale(RATIO, RATIO);
  pen.lineCap = pen.lineJoin = "round";
  const middle = SIZE / 2;
  circle(pen, middle, 20);
  pen.shadowColor = "rgb(0 0 0 / 35%)";
  pen.shadowBlur = 3;
  pen.shadowOffsetY = 1;
  pen.fillStyle = rim;
  pen.fill();
  pen.shadowColor = "transparent";
  circle(pen, middle, 15);
  pen.fillStyle = disc;
  pen.fill();
  if (step) ring(pen, middle, step, step === 1 ? low : disc);
  pen.translate(middle - 10.2, middle - 10.2);
  pen.scale(0.85, 0.85);
  pen.lineWidth = 2;
  pen.strokeStyle = pen.fillStyle = ink;
  const path = new Path2D(glyph);
  if (solid) pen.fill(path);
  pen.stroke(path);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function circle(pen, middle, radius) {
  pen.beginPath();
  pen.arc(middle, middle, radius, 0, 2 * Math.PI);
}

function ring(pen, middle, step, colour) {
  pen.beginPath();
  pen.arc(middle, middle, 17.5, -Math.PI / 2, -Math.PI / 2 + (2 * Math.PI * step) / STEPS);
  pen.lineWidth = 2.6;
  pen.strokeStyle = colour;
  pen.stroke();
}
