import { quantile } from "../../../capacity/queue";
import type { Run } from "./outcome";

const [width, height, left, gap] = [900, 150, 60, 46];
const colours = ["#4269d0", "#efb118", "#ff725c", "#3ca951"];

interface Line {
  name: string;
  points: [x: number, y: number][];
}

interface Panel {
  title: string;
  lines: Line[];
}

/** Of each second, what `value` makes of what began in it; nothing where nothing did. */
function perSecond<Item extends [number, ...unknown[]]>(
  items: Item[],
  value: (items: Item[]) => number,
): Line["points"] {
  const seconds = new Map<number, Item[]>();
  for (const item of items) {
    const second = Math.floor(item[0]);
    seconds.set(second, [...(seconds.get(second) ?? []), item]);
  }
  return [...seconds].sort(([a], [b]) => a - b).map(([second, those]) => [second, value(those)]);
}

/** Arrivals, queue and times of one run after the other, as an SVG. */
export function renderPlot(runs: Record<string, Run>): string {
  let start = 0;
  const marks: { name: string; at: number }[] = [];
  const all: Pick<Run, "answers" | "queue"> = { answers: [], queue: [] };
  for (const [name, { answers, queue }] of Object.entries(runs)) {
    marks.push({ name, at: start });
    const from = start;
    for (const [at, ...rest] of answers) all.answers.push([from + at, ...rest]);
    for (const [at, ...rest] of queue) all.queue.push([from + at, ...rest]);
    start += Math.ceil(Math.max(...queue.map(([at]) => at), ...answers.map(([at]) => at))) + 1;
  }
  const drawn = all.answers.filter(([, , status]) => status === 200);
  const took = (share: number) =>
    perSecond(drawn, (those) =>
      quantile(
        those.map(([, seconds]) => seconds),
        share,
      ),
    );
  const panels: Panel[] = [
    {
      title: "requests a second",
      lines: [
        { name: "sent", points: perSecond(all.answers, (those) => those.length) },
        { name: "accepted", points: perSecond(drawn, (those) => those.length) },
      ],
    },
    {
      title: "pictures",
      lines: [
        { name: "waiting", points: all.queue.map(([at, waiting]) => [at, waiting]) },
        { name: "in hand", points: all.queue.map(([at, , drawing]) => [at, drawing]) },
      ],
    },
    {
      title: "seconds to a picture",
      lines: [
        { name: "p50", points: took(0.5) },
        { name: "p95", points: took(0.95) },
      ],
    },
  ];
  const total = panels.length * (height + gap) + gap;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" font-family="sans-serif" font-size="12">`,
    "<title>Arrivals, queue and times of one run after the other</title>",
    `<rect width="${width}" height="${total}" fill="white"/>`,
    ...marks.map(({ name, at }) => {
      const x = scaleX(at, start);
      return `<path d="M${x} ${gap}V${total - gap}" stroke="#ccc"/><text x="${x + 4}" y="14" fill="#555">${name}</text>`;
    }),
    ...panels.flatMap((panel, index) => renderPanel(panel, gap + index * (height + gap), start)),
    "</svg>\n",
  ].join("\n");
}

const scaleX = (at: number, end: number) => Math.round(left + (at / end) * (width - left - 10));

function renderPanel({ title, lines }: Panel, top: number, end: number): string[] {
  const most = Math.max(1, ...lines.flatMap(({ points }) => points.map(([, y]) => y)));
  const y = (value: number) => Math.round(top + height - (value / most) * (height - 20));
  const label = (value: number) =>
    `<text x="${left - 6}" y="${y(value) + 4}" text-anchor="end" fill="#555">${Number(value.toPrecision(2))}</text>`;
  return [
    `<path d="M${left} ${top + height}H${width - 10}" stroke="#999"/>`,
    label(0),
    label(most),
    `<text x="${left}" y="${top + 12}">${title}</text>`,
    ...lines.flatMap(({ name, points }, index) => [
      `<text x="${left + 160 + 90 * index}" y="${top + 12}" fill="${colours[index]}">${name}</text>`,
      `<polyline fill="none" stroke="${colours[index]}" points="${points
        .map(([at, value]) => `${scaleX(at, end)},${y(value)}`)
        .join(" ")}"/>`,
    ]),
  ];
}
