import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { labels, ports } from "../names";
import type { Alert } from "../observability/alerts";
import { type Api, workerStart } from "./api";
import { renderBehavior, renderScaledObject, type Scaling, type Schedule } from "./scaledObject";
import { modelLabel, type Workers } from "./workers";

export interface AutoscalerArgs extends ComponentArgs, Scaling {
  namespace: string;
  workers: Workers;
  /** Knows how much work there is. */
  api: Api;
  /** `hpa`: Kubernetes' own, which takes an adapter that serves it Prometheus' metrics. */
  by: "keda" | "hpa";
  /** Of keda alone. */
  schedules: Schedule[];
  /** Where KEDA's pods are. */
  kedaNamespace: string;
}

/** Fewer workers than the scaler should have set, for as long as one may take to start, and some minutes. */
const scalerStuck = ({ workers, targetSeconds, max }: AutoscalerArgs): Alert => ({
  name: "ScalerStuck",
  labels: { job: workers.job, model: modelLabel(workers.model) },
  when: `clamp_max(ceil(max(aigc_work_seconds{model="${modelLabel(workers.model)}"}) / ${targetSeconds}), ${max})
  > (sum(up{job="${workers.job}"}) or vector(0))`,
  for: `${workerStart.seconds / 60 + 10}m`,
  severity: "ticket",
  summary: "The work takes {{ $value }} workers, and for long there have been fewer.",
  action: `kubectl describe scaledobject,hpa ${workers.name}: what does it see, and does a pod stay Pending?`,
});

/** Sets how many workers there are, by the work that waits and is being drawn. */
export class Autoscaler extends Component {
  constructor(name: string, args: AutoscalerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Autoscaler", name, args, opts);
    const { namespace, workers, api } = args;
    const metadata = { name: workers.name, namespace, labels: labels(workers.app) };
    if (args.by === "keda") {
      // Fails in a preview, with this name, where the cluster doesn't know KEDA.
      const installed = k8s.apiextensions.v1.CustomResourceDefinition.get(
        `${name}-needs-keda-installed`,
        "scaledobjects.keda.sh",
        this.child,
      );
      const model = encodeURIComponent(workers.model);
      const workUrl = `http://${api.host}:${ports.metrics}/work?model=${model}`;
      new k8s.apiextensions.CustomResource(
        `${name}-scaler`,
        {
          apiVersion: "keda.sh/v1alpha1",
          kind: "ScaledObject",
          metadata,
          spec: renderScaledObject({ ...args, name: workers.name, workUrl }),
        },
        { ...this.child, dependsOn: [installed, workers] },
      );
      this.flows.push({
        from: { namespace: args.kedaNamespace },
        to: api,
        ports: [ports.metrics],
      });
    } else {
      new k8s.autoscaling.v2.HorizontalPodAutoscaler(
        `${name}-scaler`,
        {
          metadata,
          spec: {
            scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: workers.name },
            minReplicas: args.min,
            maxReplicas: args.max,
            behavior: renderBehavior(args),
            metrics: [
              {
                type: "External",
                external: {
                  metric: {
                    name: "aigc_work_seconds",
                    selector: { matchLabels: { model: modelLabel(workers.model) } },
                  },
                  target: { type: "AverageValue", averageValue: String(args.targetSeconds) },
                },
              },
            ],
          },
        },
        { ...this.child, dependsOn: [workers] },
      );
    }
    this.alerts.push(scalerStuck(args));
    this.registerOutputs();
  }
}
