import { ensureImages } from "../../local/images";
import { ensureToolchain } from "../../local/toolchain";
import { type Layer, measureLayers } from "./image/layers";
import type { Figure } from "./main";

export const description =
  "the worker image: what it takes on a node, on the wire, and per release";

const megabyte = 1e6;

export async function run(): Promise<Figure[]> {
  const report = () => {};
  const { toolchain } = await ensureToolchain(report);
  const { images } = await ensureImages(toolchain, report);
  const layers = await measureLayers(images.archives.worker);
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
