import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Layer, measureLayers } from "./image/layers";
import { exportWorkerImage } from "./image/worker";
import type { Figure } from "./main";

export const description =
  "the worker image: what it takes on a node, on the wire, and per release";

const megabyte = 1e6;

export async function run(): Promise<Figure[]> {
  const layout = mkdtempSync(join(tmpdir(), "image-service-bench-"));
  await exportWorkerImage(layout, "gzip");
  const layers = await measureLayers(layout);
  rmSync(layout, { recursive: true });
  return [
    {
      figure: "unpackedBytes",
      value: sum(layers, "unpackedBytes"),
      unit: "B",
      target: `< ${5_000 * megabyte}`,
    },
    {
      figure: "compressedBytes",
      value: sum(layers, "compressedBytes"),
      unit: "B",
      target: `< ${2_500 * megabyte}`,
    },
    {
      figure: "codeChangeBytes",
      value: sum(ownLayers(layers), "compressedBytes"),
      unit: "B",
      target: `< ${5 * megabyte}`,
    },
  ];
}

/** What a change of our own code moves: all that lies upon the packages, the largest layer. */
function ownLayers(layers: Layer[]): Layer[] {
  const largest = Math.max(...layers.map(({ unpackedBytes }) => unpackedBytes));
  return layers.slice(layers.findIndex(({ unpackedBytes }) => unpackedBytes === largest) + 1);
}

const sum = (layers: Layer[], key: keyof Layer) =>
  layers.reduce((total, layer) => total + layer[key], 0);
