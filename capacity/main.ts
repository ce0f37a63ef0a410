import { parseArgs } from "node:util";
import { type Gpu, pictureSeconds } from "./gpus";
import { planFor } from "./plan";

const usage = `npm run capacity -- --rate 2/s --p95 30s --gpu ${Object.keys(pictureSeconds).join("|")} [--price PER_GPU_HOUR]`;

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "" },
    p95: { type: "string", default: "" },
    gpu: { type: "string", default: "" },
    price: { type: "string", default: "" },
  },
});
const rate = perSecond(values.rate);
const p95 = Number(/^([\d.]+)s$/.exec(values.p95)?.[1]);
const seconds = pictureSeconds[values.gpu as Gpu];

/** Of 2/s, 30/m or 500/h. */
function perSecond(text: string): number {
  const [, count, unit] = /^([\d.]+)\/([smh])$/.exec(text) ?? [];
  return Number(count) / { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"];
}

if (!(rate > 0 && p95 > 0 && seconds)) {
  console.error(usage);
  process.exit(2);
}
try {
  const plan = planFor(rate, seconds, p95);
  const rows = [
    ["workers", `${plan.workers}`],
    ["they draw", `${(100 * plan.utilisation).toFixed(0)} % of the time`],
    ["a picture takes", `${seconds.toFixed(2)} s on a ${values.gpu}`],
    ["with its wait, p50", `${plan.p50.toFixed(1)} s`],
    ["with its wait, p95", `${plan.p95.toFixed(1)} s`],
    ["waiting, p99", `${plan.queue} pictures`],
    ...(values.price
      ? [
          [
            "cost of 1,000 pictures",
            ((plan.workers * Number(values.price)) / (3.6 * rate)).toFixed(2),
          ],
        ]
      : []),
  ];
  for (const [name = "", value] of rows) console.log(`${name.padEnd(24)}${value}`);
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  console.error(`No number of workers keeps that: ${error.message}.`);
  process.exit(1);
}
