import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../local/paths";
import { pixel } from "./png";

// What the tiny model draws is told by its colours, as docker/service/training/seen.py does.

const shapes = readFileSync(join(repository, "docker/service/training/shapes.py"), "utf8");
const palette = [...shapes.matchAll(/^ {4}"(\w+)": \((\d+), (\d+), (\d+)\),$/gm)].map(
  ([, name = "", ...parts]) => ({ name, parts: parts.map(Number) }),
);

/** The nearest colour of the tiny model's. */
export function colourAt(png: Uint8Array, x: number, y: number): string {
  const seen = pixel(png, x, y);
  const distance = (parts: number[]) =>
    parts.reduce((sum, part, n) => sum + (part - (seen[n] as number)) ** 2, 0);
  return palette.reduce((best, it) => (distance(it.parts) < distance(best.parts) ? it : best)).name;
}

/** Of a picture of 256 x 256: the colours of the shape in its middle, and of the ground. */
export const colours = (png: Uint8Array) => [colourAt(png, 128, 128), colourAt(png, 8, 8)];
