import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Availability, aTenth, disruptionBudget, spread } from "../kubernetes/availability";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { type Identity, runAs } from "../kubernetes/serviceAccount";
import { labels, ports, serviceHost } from "../names";
import { toAgent } from "../network/flows";
import { type Alert, noneUp, tooFewPods } from "../observability/alerts";
import { faults } from "./alerts";
import { canaryShareEnv, serviceUid, workerStart } from "./api";
import type { ModelStore } from "./modelStore";
import type { ServiceSettings } from "./serviceSettings";

export interface WorkersArgs extends ComponentArgs, Availability {
  namespace: string;
  /** Its name tells a pool's pods, alerts and metrics from others'. @default the workers that have no name */
  pool?: string;
  /** Leave tasks that name no model to others. @default false */
  namedOnly?: boolean;
  /** Of the tasks that name no model, what workers on trial draw, from 0 to 1. */
  canaryShare: number;
  /** They are those, and draw nothing else. @default false */
  onTrial?: boolean;
  /** Fewest pods of a scaler that owns their number; `replicas` are those that it begins with. @default none does */
  scaledFrom?: number;
  /** By digest; target `worker` of docker/service. */
  image: pulumi.Input<string>;
  settings: ServiceSettings;
  /** Who they are to the pictures' bucket, which they read and write. @default settings have keys */
  identity?: Identity;
  /** Other workers whose service account they share, in place of `identity`. @default they have their own */
  like?: Workers;
  /** Holds the weights. */
  models: ModelStore;
  resources: Resources;
  /** To the database, that each pod opens at most. */
  connections: number;
  /** CPU threads that the model uses; 0: one per core of the node. */
  threads: number;
  /** WIDTHxHEIGHT of the pictures that the model is compiled for; the quickest to draw. */
  compiledSizes: string[];
  /** Beside the worker, which draws uncompiled until it is done: the whole model, or each sort of block. */
  compile: "whole" | "regional" | "off";
  /** After which a compiler is ended, and the worker goes on uncompiled. */
  compileSeconds: number;
  /** fp8 is quicker on the newest GPUs and changes pictures slightly. */
  precision: "half" | "fp8";
  /** Skips parts of steps that hardly change; quicker, and changes pictures slightly. */
  stepCache: boolean;
  /** (word:1.3) in a prompt makes the word count more. */
  promptWeights: boolean;
  /** Signs each picture (C2PA), as PEM. @default nobody does */
  credentials?: { certificates: pulumi.Input<string>; key: pulumi.Input<string> };
  /** Of an hour of a worker, in whatever currency; 0: not known. */
  gpuPrice: number;
  /** RuntimeClass that gives GPUs; "": the nodes' default runtime does. */
  runtimeClass: string;
  /** Labels of the nodes that may run them. */
  nodeSelector: Record<string, string>;
  /** Taints that they put up with. */
  tolerations: k8s.types.input.core.v1.Toleration[];
}

const noWorker = (app: string, job: string, model: string): Alert => ({
  name: "NoWorker",
  labels: { job, model: modelLabel(model) },
  when: noneUp(job),
  for: "2m",
  severity: "page",
  summary: "No worker draws; accepted pictures wait.",
  action: `kubectl describe pods -l app=${app}: are there GPUs, do pods start?`,
});

/** Of workers that are none as long as there is nothing to draw. */
const noWorkerStarts = (app: string, job: string, model: string): Alert => ({
  name: "NoWorkerStarts",
  labels: { job, model: modelLabel(model) },
  when: `(${noneUp(job)}) and on () max(aigc_work_seconds{model="${modelLabel(model)}"}) > 0`,
  for: `${workerStart.seconds / 60}m`,
  severity: "page",
  summary: "Pictures wait for a worker, and none starts.",
  action: `kubectl describe scaledobject,pods -l app=${app}: does KEDA scale, are there GPUs?`,
});

const canaryFails = (app: string, job: string): Alert => ({
  name: "CanaryFails",
  labels: { job },
  when: `sum(rate(aigc_attempts_total{job="${job}",outcome=~"${faults}"}[30m]))
  / sum(rate(aigc_attempts_total{job="${job}"}[30m]))
  > 0.05 + (sum(rate(aigc_attempts_total{job!="${job}",outcome=~"${faults}"}[30m]))
    / (sum(rate(aigc_attempts_total{job!="${job}"}[30m])) > 0) or vector(0))`,
  for: "5m",
  severity: "ticket",
  summary:
    "{{ $value | humanizePercentage }} of the attempts of workers on trial fail; others make them again.",
  action: `kubectl logs -l app=${app}; pulumi config set --path workers.canary.stage off ends the trial.`,
});

/**
 * A model's name as the api's metrics have it: a value that a label selector of Kubernetes can ask for.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 */
export const modelLabel = (model: string) => model.replace("/", "_");

/** Draw the pictures: each claims one task at a time and writes the image to S3. */
export class Workers extends Component {
  readonly app: string;
  /** Of Prometheus. */
  readonly job: string;
  /** Name of the Deployment. */
  readonly name: string;
  readonly model: string;
  private readonly account: ReturnType<typeof runAs>;
  /** Host name of the headless Service: one address a pod. */
  readonly host: string;

  constructor(name: string, args: WorkersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Workers", name, args, opts);
    const { namespace, models, pool } = args;
    const [app, job] = ["aigc-worker", "worker"].map((base) =>
      pool ? `${base}-${pool}` : base,
    ) as [string, string];
    this.app = app;
    this.job = job;
    this.name = name;
    this.model = models.model;
    this.account =
      args.like?.account ?? runAs(`${name}-identity`, namespace, args.identity, this.child);
    const metadata = { name, namespace, labels: labels(app) };
    const credentials =
      args.credentials &&
      new k8s.core.v1.Secret(
        `${name}-credentials`,
        {
          metadata: { namespace },
          stringData: {
            C2PA_CERTIFICATES: args.credentials.certificates,
            C2PA_KEY: args.credentials.key,
          },
        },
        this.child,
      );
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: {
          clusterIP: "None",
          selector: labels(app),
          ports: [{ name: "metrics", port: ports.metrics }],
        },
      },
      this.child,
    );
    new k8s.apps.v1.Deployment(
      `${name}-server`,
      {
        metadata,
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: labels(app) },
          // The new pod has drawn for a while before the next GPU is taken from an old one.
          minReadySeconds: 10,
          // GPUs are scarce: there is none for a surge.
          strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: aTenth } },
          progressDeadlineSeconds: 1200,
          template: {
            metadata: { labels: labels(app) },
            spec: {
              ...restrictedPod(serviceUid),
              ...this.account,
              ...(args.runtimeClass && { runtimeClassName: args.runtimeClass }),
              nodeSelector: args.nodeSelector,
              tolerations: args.tolerations,
              topologySpreadConstraints: spread(labels(app)),
              // The current picture is finished first.
              terminationGracePeriodSeconds: 120,
              containers: [
                {
                  ...restrictedContainer,
                  name: "worker",
                  image: args.image,
                  command: ["python", "-m", "worker"],
                  envFrom: [
                    ...args.settings.envFrom,
                    ...(credentials ? [{ secretRef: { name: credentials.metadata.name } }] : []),
                  ],
                  env: [
                    { name: "WORKER_ID", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
                    { name: "DATABASE_CONNECTIONS", value: String(args.connections) },
                    ...models.env,
                    ...(args.namedOnly ? [{ name: "NAMED_ONLY", value: "true" }] : []),
                    ...canaryShareEnv(args.canaryShare),
                    ...(args.onTrial ? [{ name: "CANARY", value: "true" }] : []),
                    { name: "COMPILED_SIZES", value: args.compiledSizes.join(",") },
                    { name: "COMPILE", value: args.compile },
                    { name: "COMPILE_SECONDS", value: String(args.compileSeconds) },
                    { name: "PRECISION", value: args.precision },
                    { name: "STEP_CACHE", value: String(args.stepCache) },
                    { name: "PROMPT_WEIGHTS", value: String(args.promptWeights) },
                    ...(args.gpuPrice ? [{ name: "GPU_PRICE", value: String(args.gpuPrice) }] : []),
                    ...(args.threads
                      ? [{ name: "OMP_NUM_THREADS", value: String(args.threads) }]
                      : []),
                  ],
                  volumeMounts: [
                    { ...models.mount, readOnly: true },
                    { name: "tmp", mountPath: "/tmp" },
                  ],
                  resources: {
                    ...args.resources,
                    limits: { ...args.resources.limits, "nvidia.com/gpu": "1" },
                  },
                  ports: [{ name: "metrics", containerPort: ports.metrics }],
                  startupProbe: {
                    httpGet: { path: "/readyz", port: "metrics" },
                    periodSeconds: workerStart.period,
                    failureThreshold: workerStart.seconds / workerStart.period,
                  },
                  readinessProbe: {
                    httpGet: { path: "/readyz", port: "metrics" },
                    timeoutSeconds: 5,
                  },
                  livenessProbe: {
                    httpGet: { path: "/healthz", port: "metrics" },
                    timeoutSeconds: 5,
                    failureThreshold: 6,
                  },
                },
              ],
              volumes: [models.volume, scratch("tmp")],
            },
          },
        },
      },
      // One pod after the other, each with its model to load.
      {
        ...this.child,
        customTimeouts: { create: "30m", update: "2h" },
        // What a scaler has set since is its own.
        ...(args.scaledFrom !== undefined && { ignoreChanges: ["spec.replicas"] }),
      },
    );
    disruptionBudget(name, metadata, args, this.child);
    this.host = serviceHost(name, namespace);
    this.targets.push({ job, app, host: this.host, port: ports.metrics });
    this.flows.push(...args.settings.servers.map((server) => ({ from: this, ...server })));
    this.flows.push(...toAgent(this, args.identity));
    this.alerts.push(
      args.onTrial
        ? canaryFails(app, job)
        : args.scaledFrom === 0
          ? noWorkerStarts(app, job, this.model)
          : noWorker(app, job, this.model),
      ...(args.scaledFrom === undefined
        ? [tooFewPods(job, app, args.replicas, `${(2 * workerStart.seconds) / 60}m`)]
        : []),
    );
    this.registerOutputs({ host: this.host });
  }
}
