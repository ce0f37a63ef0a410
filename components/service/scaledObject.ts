/** When there are more pods at least. */
export interface Schedule {
  /** As in the time zone database, like Europe/Berlin. */
  timeZone: string;
  /** Cron. */
  start: string;
  /** Cron. */
  end: string;
  /** Pods, at least. */
  replicas: number;
}

export interface Scaling {
  /** Fewest pods; 0: none while there is no work. */
  min: number;
  /** Most pods. */
  max: number;
  /** Seconds of work for each pod. */
  targetSeconds: number;
  /** How long there has to be less work before there are fewer pods. */
  cooldownSeconds: number;
}

export interface ScaledObjectArgs extends Scaling {
  /** Of the Deployment. */
  name: string;
  /** Answers `{"seconds": …}`, the work that there is. */
  workUrl: string;
  schedules: Schedule[];
}

/** Of the Kubernetes autoscaler, which KEDA uses too. */
export const renderBehavior = ({ cooldownSeconds }: Pick<Scaling, "cooldownSeconds">) => ({
  scaleDown: { stabilizationWindowSeconds: cooldownSeconds },
});

/**
 * Spec of a ScaledObject of KEDA 2.17 or later.
 * https://github.com/kedacore/keda/blob/v2.21.0/apis/keda/v1alpha1/scaledobject_types.go
 */
export const renderScaledObject = (args: ScaledObjectArgs) => ({
  scaleTargetRef: { name: args.name },
  pollingInterval: 5,
  cooldownPeriod: args.cooldownSeconds,
  minReplicaCount: args.min,
  maxReplicaCount: args.max,
  // Without an answer nobody knows what the pods do: as many stay as there are, and one at least,
  // for KEDA takes all away whose fallback is none (RequestScale in
  // https://github.com/kedacore/keda/blob/v2.21.0/pkg/scaling/executor/scale_scaledobjects.go).
  fallback: {
    failureThreshold: 3,
    behavior: "currentReplicasIfHigher",
    replicas: Math.max(args.min, 1),
  },
  advanced: {
    horizontalPodAutoscalerConfig: { name: args.name, behavior: renderBehavior(args) },
  },
  triggers: [
    {
      // The api itself and not Prometheus, whose failure so keeps nobody from scaling.
      type: "metrics-api",
      name: "work",
      metricType: "AverageValue",
      metadata: {
        url: args.workUrl,
        valueLocation: "seconds",
        targetValue: String(args.targetSeconds),
      },
    },
    ...args.schedules.map(({ timeZone, start, end, replicas }) => ({
      type: "cron",
      metadata: { timezone: timeZone, start, end, desiredReplicas: String(replicas) },
    })),
  ],
});
