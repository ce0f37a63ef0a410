import { connectionsOfAll } from "../config/connections";
import { pictureSeconds } from "./gpus";

/** Milliseconds of a processor for a picture, `npm run bench -- load`: docs/performance.md. */
const milliseconds = { nginx: 0.25, api: 4.7, PostgreSQL: 1.9, Redis: 0.7 };

/** Share of their time that they work: with more, what comes has to wait for them. */
const busy = 0.6;

/** What the rest of the stack needs where so many H100s draw all the time. */
function partsFor(gpus: number) {
  const rate = gpus / pictureSeconds.H100;
  const processors = (part: keyof typeof milliseconds) =>
    (rate * milliseconds[part]) / 1_000 / busy;
  // A replica is one process.
  const api = Math.max(2, Math.ceil(processors("api")));
  return {
    rate,
    api,
    nginx: processors("nginx"),
    PostgreSQL: processors("PostgreSQL"),
    Redis: processors("Redis"),
    connections: connectionsOfAll(api, gpus),
  };
}

/** A table in Markdown, for docs/reference/sizes.md. */
export function partsTable(): string {
  const rows = [1, 10, 50, 100, 200, 400, 1_000].map((gpus) => {
    const { rate, api, nginx, PostgreSQL, Redis, connections } = partsFor(gpus);
    const cores = [nginx, PostgreSQL, Redis].map((count) => count.toFixed(count < 1 ? 2 : 1));
    return `| ${[gpus, rate.toFixed(0), api, ...cores, connections].join(" | ")} |`;
  });
  return [
    "| H100s | pictures/s | replicas of the api | processors: nginx | PostgreSQL | Redis, one thread | connections |",
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}
