import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Props } from "../../policy/resource";
import { accepted } from "../golden/stacks";
import { plain } from "../golden/whole";
import { Definition } from "./definition";
import { sourceOf } from "./goModule";

// What the Prometheus operator has to know, before its own definitions and the code that reads them.

const version = "v0.93.0";
const scratch = mkdtempSync(join(tmpdir(), "image-service-prometheus-operator-"));
let source: string;

const declared = (kind: string) =>
  Object.values(accepted("operated"))
    .filter(({ type }) => type.endsWith(`:${kind}`))
    .map(({ inputs }) => plain(inputs) as Props);

beforeAll(async () => {
  const module = "github.com/prometheus-operator/prometheus-operator";
  source = await sourceOf(module, version, scratch);
});
afterAll(() => rmSync(scratch, { recursive: true }));

test.each<[string, (spec: Props) => Props]>([
  ["PodMonitor", ({ podMetricsEndpoints }) => podMetricsEndpoints[0]],
  ["PrometheusRule", ({ groups }) => groups[0].rules[0]],
])("its definition takes each %s, and none with another field", async (kind, part) => {
  const file = `example/prometheus-operator-crd/monitoring.coreos.com_${kind.toLowerCase()}s.yaml`;
  const definition = await Definition.read(join(source, file), "v1", scratch);
  expect(declared(kind).length).toBeGreaterThan(0);
  for (const object of declared(kind)) {
    expect(await definition.refuses(object)).toBe("");
    const wrong = structuredClone(object);
    part(wrong.spec).colour = "blue";
    expect(await definition.refuses(wrong)).toContain("colour");
  }
});

test("what a PodMonitor says of its targets comes after what the operator says", () => {
  const code = readFileSync(join(source, "pkg/prometheus/promcfg.go"), "utf8");
  const [, after = ""] = code.split("func (cg *ConfigGenerator) generatePodMonitorConfig(");
  const [ofPods = ""] = after.split("\nfunc ");
  const defaults = ofPods.lastIndexOf('Value: "job"');
  expect(defaults).toBeGreaterThan(0);
  expect(ofPods.indexOf("ep.RelabelConfigs")).toBeGreaterThan(defaults);
});
