import type * as pulumi from "@pulumi/pulumi";
import type { Component } from "../components/component";
import { Monitoring } from "../components/observability/monitoring";
import { OperatedMonitoring } from "../components/observability/operatedMonitoring";
import type { Config } from "../config";
import { receivers } from "./receivers";

/** The stack's own Prometheus, or what the cluster's operator has to know. @param parts what is watched */
export function makeMonitoring(
  config: Config,
  parts: Component[],
  options: pulumi.ComponentResourceOptions,
): Monitoring | OperatedMonitoring {
  const { namespace, images, monitoring, protect } = config;
  const args = {
    namespace,
    targets: parts.flatMap(({ targets }) => targets),
    alerts: parts.flatMap(({ alerts }) => alerts),
    ...monitoring,
  };
  if (monitoring.operator) return new OperatedMonitoring("monitoring", args, options);
  return new Monitoring(
    "monitoring",
    {
      ...args,
      image: images.prometheus,
      alertmanagerImage: images.alertmanager,
      tell: receivers(config),
      protect,
    },
    options,
  );
}
