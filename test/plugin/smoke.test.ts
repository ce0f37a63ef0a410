import * as kubernetes from "@pulumi/kubernetes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine, image, provider } from "./harness";

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start("smoke");
});
afterAll(() => engine.stop());

const program =
  (data: string, replicas = 1) =>
  async () => {
    const options = { provider: provider() };
    const ns = new kubernetes.core.v1.Namespace("smoke", {}, options);
    const namespace = ns.metadata.name;
    const config = new kubernetes.core.v1.ConfigMap(
      "config",
      { metadata: { namespace }, data: { data } },
      options,
    );
    const labels = { app: "web" };
    const d = new kubernetes.apps.v1.Deployment(
      "web",
      {
        metadata: { namespace },
        spec: {
          replicas,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: { config: config.metadata.name } },
            spec: {
              terminationGracePeriodSeconds: 0,
              containers: [
                { name: "pause", image: image("pause"), resources: { limits: { cpu: "1000m" } } },
              ],
            },
          },
        },
      },
      options,
    );
    const s = new kubernetes.core.v1.Service(
      "web",
      { metadata: { namespace, name: "web" }, spec: { selector: labels, ports: [{ port: 80 }] } },
      options,
    );
    return { name: config.metadata.name, ip: s.spec.clusterIP, ready: d.status.readyReplicas };
  };

test("smoke", async () => {
  for (const [op, data, n] of [
    ["preview", "a"],
    ["up", "a"],
    ["up", "a"],
    ["refresh"],
    ["preview", "b"],
    ["up", "b"],
    ["up", "b", 2],
    ["refresh"],
    ["up", "b", 2],
    ["destroy"],
  ] as const) {
    const t = Date.now();
    const r = await engine.try(op, data && program(data, n));
    console.log(op, data, n, Date.now() - t, JSON.stringify(r, undefined, 1));
  }
});
