import { expect, test } from "vitest";
import { containersOf, type Props, podOf } from "../../../policy/resource";
import { accepted } from "../../golden/stacks";
import { plain } from "../../golden/whole";

// Each pod reads only what it uses, so that a change restarts only those whom it concerns.

const stack = Object.fromEntries(
  Object.entries(accepted("prod")).map(([name, { type, inputs }]) => [
    name,
    { type, name, stack: "prod", props: plain(inputs) as Props, protect: false },
  ]),
);

/** Every variable that a pod's containers are given. */
function variables(name: string): string[] {
  const spec = podOf(stack[name] as (typeof stack)[string])?.spec as Props;
  return containersOf(spec).flatMap(({ env = [], envFrom = [] }) => [
    ...(env as Props[]).map((variable) => variable.name as string),
    ...(envFrom as Props[]).flatMap(({ secretRef, configMapRef }) => {
      const from = stack[(secretRef ?? configMapRef).name]?.props;
      return Object.keys(from?.stringData ?? from?.data);
    }),
  ]);
}

const ofApi = ["API_SECRET", "MAX_WAIT_SECONDS", "PUBLIC_URL", "RATE_LIMIT", "TRUSTED_PROXIES"];

test("no worker restarts for a setting of the api", () => {
  expect(variables("aigc-workers-server").filter((name) => ofApi.includes(name))).toEqual([]);
});

test("the api has its settings, and none of the model's", () => {
  expect(variables("api-server")).toEqual(expect.arrayContaining(ofApi));
  expect(variables("api-server")).not.toContain("MODEL_ID");
});

test("migrations run again only for another database or image", () => {
  expect(variables("api-migrations")).toEqual(["DATABASE_URL"]);
});
