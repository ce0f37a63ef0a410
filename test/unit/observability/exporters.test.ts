import { expect, test } from "vitest";
import { nodeExporterJob } from "../../../components/observability/nodes";
import { renderPrometheusConfig } from "../../../components/observability/prometheusConfig";
import { declareEach } from "../../golden/stacks";

test("an exporter that is no Service is refused with the reason", async () => {
  const exporter = { job: "one", host: "10.0.0.7", port: 9100 };
  const [refused] = await declareEach("prod", [{ "monitoring.exporters": [exporter] }]);
  expect(refused).toMatchObject({ refused: expect.stringContaining("must be a Service like") });
});

test("an exporter with the name of another job is refused: Prometheus would not start", () => {
  const target = { job: "api", app: "api", host: "api", port: 9090 };
  expect(() => renderPrometheusConfig({ targets: [target, target], namespace: "n" })).toThrow(
    "monitoring.exporters names a job api",
  );
  const others = [nodeExporterJob(9100)];
  const node = { ...target, job: "node" };
  expect(() => renderPrometheusConfig({ targets: [node], others, namespace: "n" })).toThrow(
    "monitoring.exporters names a job node",
  );
});
