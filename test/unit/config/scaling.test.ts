import { expect, test } from "vitest";
import { declareEach } from "../../golden/stacks";
import type { Values } from "../../placeholders";

const pool = { name: "another" };
const scaled = { max: 4 };

/** Values that are refused, and what is said of each. */
const refused: [string, Values, string][] = [
  [
    "more workers at least than at most",
    { "workers.autoscaling": { min: 5, max: 4 } },
    "workers.autoscaling.min is 5, but must not be above workers.autoscaling.max, 4",
  ],
  [
    "times without KEDA",
    {
      "workers.autoscaling": {
        ...scaled,
        by: "hpa",
        schedules: [{ start: "0 8 * * *", end: "0 18 * * *", replicas: 2 }],
      },
    },
    "only keda knows the time",
  ],
  [
    "a number of workers that stay, beside a scaler",
    { "workers.autoscaling": scaled, "workers.minAvailable": 2 },
    "workers.minAvailable is 2, but with workers.autoscaling",
  ],
  [
    "two pools of one name, whose pods and metrics nobody could tell apart",
    { "workers.pools": [pool, pool] },
    "workers.pools is not told apart by the name another",
  ],
  [
    "two scalers of one model's workers",
    { "workers.autoscaling": scaled, "workers.pools": [{ ...pool, autoscaling: scaled }] },
    "workers.pools is scaled twice by the work for stabilityai/stable-diffusion-xl-base-1.0",
  ],
  [
    "a pool's model of which nobody knows the files",
    { "workers.pools": [{ ...pool, model: "owner/name" }] },
    "workers.pools[0].revision is missing",
  ],
  [
    "a bound of a pool's scaler",
    { "workers.pools": [{ ...pool, autoscaling: { min: 5, max: 4 } }] },
    "workers.pools[0].autoscaling.min is 5",
  ],
  [
    "a trial of nothing",
    { "workers.canary.stage": "trial" },
    "workers.canary.stage is trial, but nothing is on trial",
  ],
  [
    "a model on trial of which nobody knows the files",
    { "workers.canary": { stage: "trial", model: "owner/name" } },
    "workers.canary.revision is missing",
  ],
  [
    "a pool with the name of the workers on trial",
    {
      "workers.pools": [{ name: "canary" }],
      "workers.canary": {
        stage: "trial",
        image: `registry.example/worker@sha256:${"2".repeat(64)}`,
      },
    },
    "workers.pools is not told apart by the name canary",
  ],
  [
    "more workers than the database has connections for",
    { "workers.autoscaling": { max: 100 } },
    "100 workers open up to",
  ],
];

const taken: [string, Values][] = [
  [
    "a scaled pool over fixed workers of the same model",
    {
      "workers.pools": [{ ...pool, autoscaling: scaled }],
    },
  ],
  ["a scaler that begins with none", { "workers.autoscaling": { ...scaled, min: 0 } }],
];

const outcomes = declareEach(
  "prod",
  [...refused, ...taken].map(([, values]) => values),
);

test.each(refused.map(([what, , said], at) => ({ what, said, at })))(
  "$what: refused, with the reason",
  async ({ said, at }) => {
    expect((await outcomes)[at]).toMatchObject({ refused: expect.stringContaining(said) });
  },
);

test.each(taken.map(([what], at) => ({ what, at })))("$what: taken", async ({ at }) => {
  const outcome = (await outcomes)[refused.length + at];
  expect(outcome).not.toHaveProperty("refused");
  expect(outcome).toHaveProperty("aigc-workers-server");
});
