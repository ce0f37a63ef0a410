import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { graceSeconds, leaveSeconds } from "../edge/deadlines";
import { type Availability, disruptionBudget, spread } from "../kubernetes/availability";
import { type Resources, restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { type Identity, runAs } from "../kubernetes/serviceAccount";
import { labels, ports, serviceHost } from "../names";
import { elsewhere, https, type Server, toAgent } from "../network/flows";
import { type Alert, noneUp, tooFewPods } from "../observability/alerts";
import { serviceAlerts } from "./alerts";
import { type Companions, companionsEnv } from "./companions";
import { type Lora, lorasEnv } from "./loras";
import type { InTime } from "./objectives";
import { type Sampling, samplingEnv } from "./sampling";
import type { ServiceSettings } from "./serviceSettings";

export interface ApiArgs extends ComponentArgs, Availability, Pick<Companions, "upscaler"> {
  namespace: string;
  /** By digest; target `api` of docker/service. */
  image: pulumi.Input<string>;
  settings: ServiceSettings;
  /** Who it is to the pictures' bucket, where it writes what clients give. @default settings have keys */
  identity?: Identity;
  /** The name by which it lists the model. */
  model: string;
  /** What tasks may name besides. */
  otherModels: string[];
  /** Of the tasks that name no model, what workers on trial draw, from 0 to 1. */
  canaryShare: number;
  /** Of an hour of a worker, by its model; none where none is known. */
  gpuPrices: Record<string, number>;
  /** Of those models that take few steps. */
  sampling: Sampling[];
  /** What they may add to either. */
  loras: Lora[];
  /** Percent of the requests for pictures that succeed, over 30 days. */
  objective: number;
  /** Percent of the tasks that have their pictures within so many seconds, over 30 days. */
  inTime: InTime;
  /** Whether tasks may have to wait until a first worker starts. */
  workersFromZero: boolean;
  /** The operator's key, checked against `Authorization: Bearer`. */
  apiSecret: pulumi.Input<string>;
  /** URL under which clients reach the service. */
  publicUrl: string;
  /** What shows clients of that URL its certificate, at a port of the cluster. @default nobody does */
  certificate?: { server: Server; host: string; proxyProtocol: boolean };
  /** CIDR of the peers whose X-Real-IP is believed: nginx's pods. */
  trustedProxies: string;
  /** Requests a minute per client IP on generate, e.g. "10/minute". */
  rateLimit: string;
  /** To the database, that each pod opens at most. */
  connections: number;
  /** The longest time that a request waits for its picture, in seconds. */
  maxWaitSeconds: number;
  /** Origins of web pages that may call from a browser, like https://app.example; "*" for all. */
  corsOrigins: string[];
  /** Signs what webhooks are told. @default there are none */
  webhookSecret?: pulumi.Input<string>;
  /** Whether requests may name addresses that their pictures are sent to. */
  uploads: boolean;
  /** Whether requests may name addresses that pictures to draw from are fetched from. */
  fetches: boolean;
  /** Largest picture to draw from, in MiB. */
  maxInput: number;
  resources: Resources;
}

/** For whoever has to know of every queue. */
export const otherModels = (models: string[]) =>
  models.length > 0 ? [{ name: "OTHER_MODELS", value: models.join(",") }] : [];

/** For whoever has to know which tasks workers on trial draw. */
export const canaryShareEnv = (share: number) =>
  share > 0 ? [{ name: "CANARY_SHARE", value: String(share) }] : [];

/** How long a worker may take to start: two minutes to load the model from a cold disk, after what its
 * node may take to come. It compiles when it is ready. */
export const workerStart = { seconds: 900, period: 2 };

/** uid of the user in both images of docker/service. */
export const serviceUid = 10001;

const job = "api";

const noApi = (job: string): Alert => ({
  name: "NoApi",
  labels: { job },
  when: noneUp(job),
  for: "1m",
  severity: "page",
  summary: "No pod of the api gives metrics: nobody is answered.",
  action: "kubectl describe pods -l app=api, and kubectl logs -l app=api --previous.",
});

/** Answers HTTP, keeps the records, never touches a GPU. */
export class Api extends Component {
  readonly app: string;
  /** Host name of the headless Service: one address a pod. */
  readonly host: string;
  /** What tasks may name besides its own model. */
  readonly otherModels: string[];

  constructor(name: string, args: ApiArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Api", name, args, opts);
    const { namespace } = args;
    this.app = name;
    this.otherModels = args.otherModels;
    const metadata = { name, namespace, labels: labels(name) };
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      {
        metadata: { namespace },
        stringData: {
          API_SECRET: args.apiSecret,
          ...(args.webhookSecret && { WEBHOOK_SECRET: args.webhookSecret }),
        },
      },
      this.child,
    );
    const container = {
      ...restrictedContainer,
      image: args.image,
      resources: args.resources,
      volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
    };
    const pod = { ...restrictedPod(serviceUid), volumes: [scratch("tmp")] };

    new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata,
        spec: {
          clusterIP: "None",
          selector: labels(name),
          ports: [
            { name: "http", port: ports.http },
            { name: "metrics", port: ports.metrics },
          ],
        },
      },
      this.child,
    );
    const migrations = new k8s.batch.v1.Job(
      `${name}-migrations`,
      {
        metadata: { namespace },
        spec: {
          backoffLimit: 4,
          template: {
            metadata: { labels: labels(`${name}-migrations`) },
            spec: {
              ...pod,
              restartPolicy: "OnFailure",
              containers: [
                {
                  ...container,
                  name: "migrations",
                  command: ["python", "-m", "tasks", "migrate"],
                  env: [args.settings.databaseUrl],
                },
              ],
            },
          },
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
          selector: { matchLabels: labels(name) },
          strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: {
            metadata: { labels: labels(name) },
            spec: {
              ...pod,
              ...runAs(`${name}-identity`, namespace, args.identity, this.child),
              topologySpreadConstraints: spread(labels(name)),
              terminationGracePeriodSeconds: graceSeconds(args.maxWaitSeconds),
              containers: [
                {
                  ...container,
                  name: "api",
                  envFrom: [
                    ...args.settings.envFrom,
                    { secretRef: { name: secret.metadata.name } },
                  ],
                  env: [
                    { name: "MODEL_ID", value: args.model },
                    ...otherModels(args.otherModels),
                    ...canaryShareEnv(args.canaryShare),
                    ...(Object.keys(args.gpuPrices).length > 0
                      ? [{ name: "GPU_PRICES", value: JSON.stringify(args.gpuPrices) }]
                      : []),
                    ...samplingEnv(args.sampling),
                    ...lorasEnv(args.loras),
                    ...companionsEnv({ upscaler: args.upscaler }),
                    ...(args.workersFromZero
                      ? [{ name: "WORKER_START_SECONDS", value: String(workerStart.seconds) }]
                      : []),
                    { name: "DATABASE_CONNECTIONS", value: String(args.connections) },
                    { name: "MAX_WAIT_SECONDS", value: String(args.maxWaitSeconds) },
                    ...(args.uploads ? [{ name: "UPLOADS", value: "true" }] : []),
                    ...(args.fetches ? [{ name: "FETCHES", value: "true" }] : []),
                    { name: "MAX_INPUT_BYTES", value: String(args.maxInput * 2 ** 20) },
                    { name: "PUBLIC_URL", value: args.publicUrl },
                    ...(args.certificate
                      ? [
                          {
                            name: "CERTIFICATE_SERVER",
                            value: `${args.certificate.host}:${https}`,
                          },
                          {
                            name: "CERTIFICATE_PROXIED",
                            value: String(args.certificate.proxyProtocol),
                          },
                        ]
                      : []),
                    { name: "RATE_LIMIT", value: args.rateLimit },
                    { name: "TRUSTED_PROXIES", value: args.trustedProxies },
                    ...(args.corsOrigins.length > 0
                      ? [{ name: "CORS_ORIGINS", value: args.corsOrigins.join(",") }]
                      : []),
                  ],
                  command: [
                    "uvicorn",
                    "api:app",
                    "--host",
                    "0.0.0.0",
                    "--port",
                    String(ports.http),
                    // nginx closes an idle connection after 60 s; the api must not do so first, or
                    // a request on its way there is lost.
                    "--timeout-keep-alive",
                    "75",
                  ],
                  ports: [
                    { name: "http", containerPort: ports.http },
                    { name: "metrics", containerPort: ports.metrics },
                  ],
                  // nginx learns of a leaving pod a DNS answer later.
                  lifecycle: { preStop: { sleep: { seconds: leaveSeconds } } },
                  startupProbe: {
                    httpGet: { path: "/healthz", port: "http" },
                    periodSeconds: 1,
                    failureThreshold: 60,
                  },
                  readinessProbe: {
                    httpGet: { path: "/readyz", port: "http" },
                    periodSeconds: 5,
                    timeoutSeconds: 4,
                  },
                  livenessProbe: {
                    httpGet: { path: "/healthz", port: "http" },
                    timeoutSeconds: 5,
                    failureThreshold: 6,
                  },
                },
              ],
            },
          },
        },
      },
      { ...this.child, dependsOn: migrations },
    );
    disruptionBudget(name, metadata, args, this.child);
    this.host = serviceHost(name, namespace);
    this.alerts.push(
      noApi(job),
      tooFewPods(job, name, args.replicas, "10m"),
      ...serviceAlerts(args.objective, args.inTime),
    );
    this.targets.push({ job, app: name, host: this.host, port: ports.metrics });
    const { database, servers } = args.settings;
    this.flows.push(...toAgent(this, args.identity));
    this.flows.push(...servers.map((server) => ({ from: this, ...server })), {
      from: labels(`${name}-migrations`),
      ...database,
    });
    if (args.certificate) this.flows.push({ from: this, ...args.certificate.server });
    if (args.webhookSecret || args.uploads || args.fetches)
      this.flows.push({ from: this, ...elsewhere(https) });
    this.registerOutputs({ host: this.host });
  }
}
