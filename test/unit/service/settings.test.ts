import { expect, test } from "vitest";
import { containersOf, type Props, podOf } from "../../../policy/resource";
import { resourcesOf } from "../../golden/resources";

// Each pod reads only what it uses, so that a change restarts only those whom it concerns.

const resources = (stack: string) =>
  Object.fromEntries(resourcesOf(stack).map((resource) => [resource.name, resource]));
const [stack, alternatives] = [resources("prod"), resources("alternatives")];

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

test("the api has its settings, and of the model its name alone", () => {
  expect(variables("api-server")).toEqual(expect.arrayContaining([...ofApi, "MODEL_ID"]));
  expect(variables("api-server")).not.toContain("MODEL_DIR");
});

test("the workers load what the download brings, and the api lists it by its name", () => {
  const model = (name: string) =>
    containersOf(podOf(alternatives[name] as (typeof stack)[string])?.spec as Props).flatMap(
      ({ env }) => (env as Props[]).filter((variable) => variable.name.startsWith("MODEL_")),
    );
  expect(model("aigc-workers-server")).toEqual(model("models-download"));
  expect(model("models-download")).toEqual(expect.arrayContaining(model("api-server")));
  expect(model("models-download").map(({ name }) => name)).toContain("MODEL_REVISION");
});

test("the workers have the runtime that gives GPUs, where it is not the nodes' own", () => {
  const runtime = (stack: typeof alternatives) =>
    podOf(stack["aigc-workers-server"] as (typeof stack)[string])?.spec.runtimeClassName;
  expect(runtime(alternatives)).toBe("nvidia");
  expect(runtime(stack)).toBeUndefined();
});

test("migrations run again only for another database or image", () => {
  expect(variables("api-migrations")).toEqual(["DATABASE_URL"]);
});
