import { beforeAll, expect, test } from "vitest";
import { dashboards } from "../../components/observability/dashboards";
import { readStatus, type Status } from "../../local/status";

// The dashboards' queries, put to the Prometheus of the local stack, which is up.

const status = readStatus() as Status;

/** Panels for which a fresh local stack has nothing to show, and what it lacks. */
const lacking: Record<string, string> = {
  "GPU memory": "a GPU",
  "Sizes drawn compiled": "a GPU",
  // They are directories of the node.
  "Free of each volume": "volumes that the kubelet measures",
  "Age of the newest backup": "a night",
  "Time since the last good drill": "a week",
};

const queries = dashboards.flatMap(({ name, panels }) =>
  panels.flatMap(({ title, queries }) =>
    Object.entries(queries).map(([legend, query]) => ({ name, title, legend, query })),
  ),
);

beforeAll(async () => {
  for (const seed of [1, 2]) {
    const answer = await fetch(`${status.endpoint}/api/generate`, {
      method: "POST",
      headers: { authorization: `Bearer ${status.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ prompt: "a graph", width: 256, height: 256, steps: 2, seed }),
    });
    expect(answer.status).toBe(200);
  }
});

/** The labels of each series that a query gives, where its value is a number. */
async function seriesOf(query: string): Promise<Record<string, string>[]> {
  const url = `${status.prometheus}/api/v1/query?query=${encodeURIComponent(query)}`;
  const { data } = (await (await fetch(url)).json()) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  return data.result
    .filter(({ value }) => Number.isFinite(Number(value[1])))
    .map(({ metric }) => metric);
}

test.each(queries.filter(({ title }) => !(title in lacking)))(
  "$name, $title: $legend has data, with the labels of its legend",
  async ({ legend, query }) => {
    // Two scrapes, for a rate.
    await expect
      .poll(async () => (await seriesOf(query)).length, { timeout: 60_000, interval: 1_000 })
      .toBeGreaterThan(0);
    const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label as string);
    for (const series of await seriesOf(query)) {
      for (const label of labels) expect(series[label]).toBeTruthy();
    }
  },
);

test("what is said to lack something is a panel", () => {
  const titles = queries.map(({ title }) => title);
  for (const title of Object.keys(lacking)) expect(titles).toContain(title);
});
