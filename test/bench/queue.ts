import { join } from "node:path";
import { rounded } from "../figures";
import { measure } from "../python";
import type { Figure } from "./main";

export const description =
  "accepted tasks and pick-up latency beside Celery, arq and taskiq, and of 200 workers; arguments: TASKS ROUNDS";

const directory = join(__dirname, "queue");

export async function run([tasks = "2000", rounds = "3"]: string[]): Promise<Figure[]> {
  const environment = join(directory, ".venv");
  const requirements = join(directory, "requirements.txt");
  const setup =
    `python3 -m venv "${environment}"; ` +
    `"${environment}/bin/pip" install --quiet --require-hashes -r "${requirements}"`;
  const { "submit p95 ms": submit, ...systems } = await measure<
    Record<string, number> & Record<string, Record<string, number>>
  >(join(directory, "main.py"), [`${environment}/bin/python`, tasks, rounds], { setup });
  const figures = Object.entries(systems).flatMap(([system, values]) =>
    Object.entries(values).map(([name, value]) => figure(`${system}: ${name}`, value)),
  );
  const {
    "image-service": ours,
    "200 workers": many,
    ...peers
  } = systems as Record<string, Record<string, number>>;
  const of = (system: Record<string, number> | undefined, name: string) => system?.[name] as number;
  const accepted = of(ours, "accepted/s") / of(peers.celery, "accepted/s");
  const fastest = Math.min(...Object.values(peers).map((peer) => of(peer, "pick-up p99 ms")));
  const pickUp = of(ours, "pick-up p99 ms") / fastest;
  return [
    ...figures,
    { ...figure("accepted, ours over Celery's", accepted), target: ">= 2" },
    { ...figure("pick-up p99, ours over the fastest peer's", pickUp), target: "< 1" },
    {
      ...figure("accepted, beside 200 workers", of(many, "accepted/s")),
      unit: "/s",
      target: ">= 500",
    },
    {
      ...figure("pick-up p99, 200 workers", of(many, "pick-up p99 ms")),
      unit: "ms",
      target: "<= 20",
    },
    { ...figure("submit p95 at 200 requests/s", submit as number), unit: "ms", target: "<= 25" },
  ];
}

const figure = (name: string, value: number): Figure => ({
  figure: name,
  value: rounded(value),
  unit: "",
});
