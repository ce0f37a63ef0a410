import { readdirSync } from "node:fs";

/** One line of a benchmark's table. */
export interface Figure {
  figure: string;
  value: number;
  unit: string;
  /** What the figure has to reach, as text. */
  target?: string;
  /** Whether it doesn't, which fails the run. @default not held against it */
  missed?: boolean;
}

/** A benchmark's module; its name is its file's. */
interface Benchmark {
  description: string;
  run(args: string[]): Promise<Figure[]>;
}

const names = readdirSync(__dirname)
  .filter((entry) => entry.endsWith(".ts") && entry !== "main.ts")
  .map((entry) => entry.replace(/\.ts$/, ""))
  .sort();

const load = (name: string) => require(`./${name}`) as Benchmark;

async function main(): Promise<void> {
  const [name, ...args] = process.argv.slice(2);
  if (!name || !names.includes(name)) {
    for (const known of names) {
      const { description } = load(known);
      console.log(`npm run bench -- ${known.padEnd(8)}  ${description}`);
    }
    process.exitCode = name && name !== "--help" ? 1 : 0;
    return;
  }
  const figures = await load(name).run(args);
  const width = Math.max(...figures.map(({ figure }) => figure.length));
  for (const { figure, value, unit, target, missed } of figures) {
    console.log(
      `${figure.padEnd(width)}  ${String(value).padStart(8)} ${unit.padEnd(4)} ${target ?? ""}${missed ? "  MISSED" : ""}`,
    );
  }
  const values = figures.map(({ figure, value }) => [figure, value]);
  console.log(JSON.stringify({ benchmark: name, ...Object.fromEntries(values) }));
  if (figures.some(({ missed }) => missed)) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
