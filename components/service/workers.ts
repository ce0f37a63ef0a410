import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Availability, disruptionBudget, spread } from "../kubernetes/availability";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { type Identity, runAs } from "../kubernetes/serviceAccount";
import { labels, ports, serviceHost } from "../names";
import { serviceUid } from "./api";
import type { ModelStore } from "./modelStore";
import type { ServiceSettings } from "./serviceSettings";

export interface WorkersArgs extends ComponentArgs, Availability {
  namespace: string;
  /** By digest; target `worker` of docker/service. */
  image: pulumi.Input<string>;
  settings: ServiceSettings;
  /** Who they are to the pictures' bucket, which they write to. @default settings have keys */
  identity?: Identity;
  /** Holds the weights. */
  models: ModelStore;
  resources: Resources;
  /** To the database, that each pod opens at most. */
  connections: number;
  /** CPU threads that the model uses; 0: one per core of the node. */
  threads: number;
  /** WIDTHxHEIGHT of the pictures that the model is compiled for at the start; the quickest to draw. */
  compiledSizes: string[];
  /** fp8 is quicker on the newest GPUs and changes pictures slightly. */
  precision: "half" | "fp8";
  /** Skips parts of steps that hardly change; quicker, and changes pictures slightly. */
  stepCache: boolean;
  /** (word:1.3) in a prompt makes the word count more. */
  promptWeights: boolean;
  /** RuntimeClass that gives GPUs; "": the nodes' default runtime does. */
  runtimeClass: string;
  /** Labels of the nodes that may run them. */
  nodeSelector: Record<string, string>;
  /** Taints that they put up with. */
  tolerations: k8s.types.input.core.v1.Toleration[];
}

const app = "aigc-worker";

/** Draw the pictures: each claims one task at a time and writes the image to S3. */
export class Workers extends Component {
  /** Host name of the headless Service: one address a pod. */
  readonly host: string;

  constructor(name: string, args: WorkersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Workers", name, args, opts);
    const { namespace, models } = args;
    const metadata = { name, namespace, labels: labels(app) };
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
          strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
          progressDeadlineSeconds: 1200,
          template: {
            metadata: { labels: labels(app) },
            spec: {
              ...restrictedPod(serviceUid),
              ...runAs(`${name}-identity`, namespace, args.identity, this.child),
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
                  envFrom: args.settings.envFrom,
                  env: [
                    { name: "WORKER_ID", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
                    { name: "DATABASE_CONNECTIONS", value: String(args.connections) },
                    ...models.env,
                    { name: "COMPILED_SIZES", value: args.compiledSizes.join(",") },
                    { name: "PRECISION", value: args.precision },
                    { name: "STEP_CACHE", value: String(args.stepCache) },
                    { name: "PROMPT_WEIGHTS", value: String(args.promptWeights) },
                    ...(args.threads
                      ? [{ name: "OMP_NUM_THREADS", value: String(args.threads) }]
                      : []),
                  ],
                  volumeMounts: [models.mount, { name: "tmp", mountPath: "/tmp" }],
                  resources: {
                    ...args.resources,
                    limits: { ...args.resources.limits, "nvidia.com/gpu": "1" },
                  },
                  ports: [{ name: "metrics", containerPort: ports.metrics }],
                  // Loading the model takes two minutes from a cold disk; a GPU's first start also
                  // compiles it, once a node.
                  startupProbe: {
                    httpGet: { path: "/readyz", port: "metrics" },
                    periodSeconds: 2,
                    failureThreshold: 450,
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
      { ...this.child, customTimeouts: { create: "30m", update: "2h" } },
    );
    disruptionBudget(name, metadata, args, this.child);
    this.host = serviceHost(name, namespace);
    this.registerOutputs({ host: this.host });
  }
}
