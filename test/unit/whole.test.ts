import { describe, expect, test } from "vitest";
import type { Props } from "../../policy/resource";
import { accepted, stacks } from "../golden/stacks";
import { faultsOf, type Stack } from "../golden/whole";

test.each(stacks)("the parts of %s fit together", (stack) => {
  expect(faultsOf(accepted(stack))).toEqual([]);
});

describe("a stack is refused", () => {
  const changed = (
    change: (inputs: Record<string, Props>, stack: Stack) => void,
    name = "prod",
  ): string[] => {
    const stack = structuredClone(accepted(name));
    const inputs = Object.fromEntries(
      Object.entries(stack).map(([name, declaration]) => [name, declaration.inputs as Props]),
    );
    change(inputs, stack);
    return faultsOf(stack);
  };
  const prometheusFile = (inputs: Record<string, Props>, change: (text: string) => string) => {
    const { data } = inputs["monitoring-config"] as Props;
    data["prometheus.yml"] = change(data["prometheus.yml"].lines.join("\n"));
  };

  test("with two controllers of the same pods", () => {
    const faults = changed((_, stack) => {
      const twin = structuredClone(stack["api-server"] as Stack[string]);
      (twin.inputs as Props).metadata.name = "api-again";
      stack["api-again"] = twin;
    });
    expect(faults).toEqual(["the pods api is there twice"]);
  });

  test("with two objects of one name", () => {
    const faults = changed((inputs) => {
      (inputs["nginx-service"] as Props).metadata.name = "api";
    });
    expect(faults).toEqual(["Service api in image-service is there twice"]);
  });

  test("with pods that no policy speaks of", () => {
    const faults = changed((_, stack) => delete stack["policies-redis"]);
    expect(faults).toContain("the pods redis have no NetworkPolicy");
  });

  test("with a component that says nothing of whom it talks to", () => {
    const faults = changed((_, stack) => {
      const component = structuredClone(stack["redis-server"] as Stack[string]);
      (component.inputs as Props).metadata.name = "cache";
      (component.inputs as Props).spec.template.metadata.labels.app = "cache";
      stack["cache-server"] = component;
    });
    expect(faults).toEqual(["the pods cache have no NetworkPolicy"]);
  });

  test("with a Service that no flow leads to", () => {
    const faults = changed((inputs) => {
      (inputs["policies-redis"] as Props).spec.ingress = [];
      for (const app of ["api", "aigc-worker", "redis-exporter"]) {
        const { spec } = inputs[`policies-${app}`] as Props;
        spec.egress = (spec.egress as Props[]).filter(({ ports }) => ports[0].port !== 6379);
      }
    });
    expect(faults).toEqual(["redis:6379 has a Service, and no NetworkPolicy leads to it"]);
  });

  test("with a flow to a closed port", () => {
    const faults = changed((inputs) => {
      (inputs["policies-redis"] as Props).spec.ingress[0].ports.push({ port: 6380 });
      (inputs["policies-api"] as Props).spec.egress[2].ports.push({ port: 6380 });
    });
    expect(faults).toEqual(["a NetworkPolicy leads to redis:6380, which is closed"]);
  });

  test("with a flow that one of its ends refuses", () => {
    const last = (app: string, side: "ingress" | "egress") =>
      changed((inputs) => (inputs[`policies-${app}`] as Props).spec[side].pop());
    expect(last("nginx", "egress")).toEqual(["nginx to api:8000: no leave to go"]);
    expect(last("redis", "ingress")).toEqual(["redis-exporter to redis:6379: no leave to come"]);
  });

  test("with metrics that nobody scrapes", () => {
    const faults = changed((inputs) =>
      prometheusFile(inputs, (text) => {
        const file = JSON.parse(text);
        file.scrape_configs = file.scrape_configs.filter(
          ({ job_name }: Props) => job_name !== "api",
        );
        return JSON.stringify(file);
      }),
    );
    expect(faults).toEqual([
      "api.image-service.svc.cluster.local has metrics that Prometheus doesn't scrape",
    ]);
  });

  test("with metrics that the operator is told nothing of, or a port that is closed", () => {
    const forgotten = changed((_, stack) => delete stack["monitoring-log-collector"], "operated");
    expect(forgotten).toEqual([
      "vlagent.image-service-logs.svc.cluster.local has metrics that Prometheus doesn't scrape",
    ]);
    const closed = changed((inputs) => {
      (inputs["monitoring-api"] as Props).spec.podMetricsEndpoints[0].portNumber = 9091;
    }, "operated");
    expect(closed).toEqual(["PodMonitor api asks api:9091, which is closed"]);
  });

  test("with an alert that Alertmanager knows by another name", () => {
    const faults = changed((inputs) => {
      const { data } = inputs["monitoring-config"] as Props;
      data["alerts.yml"] = data["alerts.yml"].lines.join("\n").replace("RedisDown", "RedisGone");
    });
    expect(faults).toEqual(["Alertmanager knows of RedisDown, which no alert is"]);
  });

  test("with a flow to an app that there isn't", () => {
    const faults = changed((inputs) => {
      const [, rule] = (inputs["policies-api"] as Props).spec.egress;
      rule.to[0].podSelector.matchLabels.app = "postgers";
    });
    expect(faults).toContain("a NetworkPolicy speaks of postgers, which no pod is");
  });

  test("with a Secret that nobody reads", () => {
    const faults = changed((_, stack) => {
      stack["spare-secret"] = { ...(stack["redis-config"] as Stack[string]), inputs: {} };
    });
    expect(faults).toEqual(["Secret spare-secret is read by no pod"]);
  });

  test("with a pod that reads a ConfigMap that isn't there", () => {
    const faults = changed((inputs) => {
      (inputs["nginx-server"] as Props).spec.template.spec.volumes[0].configMap.name = "gone";
    });
    expect(faults).toEqual([
      "ConfigMap nginx-config is read by no pod",
      "a pod reads ConfigMap gone, which isn't there",
    ]);
  });

  test("with a Service that leads to a closed port", () => {
    const faults = changed((inputs) => {
      (inputs["redis-service"] as Props).spec.ports[0].port = 6380;
    });
    expect(faults).toEqual(["Service redis leads to port 6380, which its pods don't open"]);
  });

  test("with a port for the world that a policy closes", () => {
    const faults = changed((inputs) => {
      (inputs["nginx-service"] as Props).spec.type = "LoadBalancer";
    });
    expect(faults).toEqual(["Service nginx leads the world to port 8080, where a policy stops it"]);
  });

  test("with two scrape jobs of one name", () => {
    const faults = changed((inputs) =>
      prometheusFile(inputs, (text) => text.replace('"worker"', '"api"')),
    );
    expect(faults).toEqual(["the scrape job api is there twice"]);
  });

  test("with a scrape of a host that there isn't", () => {
    const faults = changed((inputs) =>
      prometheusFile(inputs, (text) => text.replace('"api.', '"apis.')),
    );
    expect(faults).toContain(
      "Prometheus scrapes apis.image-service.svc.cluster.local, which no Service is",
    );
  });
});
