import type { ComponentResourceOptions } from "@pulumi/pulumi";
import type { Dns } from "../components/network/networkPolicies";
import { LogCollector } from "../components/observability/logCollector";
import { LogStore } from "../components/observability/logStore";
import type { Config } from "../config";

/** One place for the stack's logs, where it is wanted. */
export function makeLogs(
  { namespace, images, logs, monitoring, protect }: Config,
  dns: Dns,
  options: ComponentResourceOptions,
): [] | [LogStore, LogCollector] {
  if (!logs.enabled) return [];
  const store = new LogStore(
    "logs",
    { namespace, image: images.victoriaLogs, protect, ...logs },
    options,
  );
  const collector = new LogCollector(
    "log-collector",
    {
      namespace,
      prometheusNamespace: monitoring.operator ? monitoring.operatorNamespace : namespace,
      image: images.vlagent,
      store,
      dns,
      resources: logs.collectorResources,
    },
    options,
  );
  return [store, collector];
}
