import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubeconfig, repository } from "../../local/paths";
import { attempt, run } from "../../local/run";
import { LocalStack } from "../../local/stack";
import { localCluster } from "./cluster";

// examples/consumer beside the stack of `npm run local`: it reads that stack's outputs by
// StackReference and asks the service from a namespace of its own, through the NetworkPolicies.

const namespace = "image-client";
let consumer: LocalStack;
let kubectl: (...args: string[]) => string[];

beforeAll(async () => {
  const { toolchain, images } = await localCluster();
  kubectl = (...args) => [toolchain.kubectl, `--kubeconfig=${kubeconfig}`, ...args];
  consumer = await LocalStack.open(
    "e2e",
    toolchain,
    { service: "organization/image-service/local", image: images.api, kubeconfig },
    () => {},
    { name: namespace, directory: join(repository, "examples/consumer"), secrets: ["apiSecret"] },
  );
});

afterAll(() => consumer?.close());

test("a second stack has a picture made from inside the cluster", async () => {
  await consumer.up(() => {});
  const { jobName } = (await consumer.outputs()) as { jobName: string };
  const [program = "", ...logs] = kubectl("logs", "-n", namespace, `job/${jobName}`);
  expect(await run(program, logs)).toMatch(/^a picture of \d{4,} bytes$/m);
});

test("another up of the consumer changes nothing", async () => {
  expect(await consumer.up(() => {})).toBe(true);
});

test("its destroy leaves no namespace", async () => {
  await consumer.destroy(() => {});
  const [program = "", ...get] = kubectl("get", "namespace", namespace);
  expect((await attempt(program, get)).output).toContain("not found");
});
