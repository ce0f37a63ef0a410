import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { type Resources, restrictedContainer } from "../kubernetes/pods";
import { labels, ports, serviceHost } from "../names";
import { apiServer } from "../network/flows";
import { type Dns, NetworkPolicies } from "../network/networkPolicies";
import type { LogStore } from "./logStore";

export interface LogCollectorArgs extends ComponentArgs {
  /** Of the stack, whose pods' logs are collected. */
  namespace: string;
  /** Of Prometheus. */
  prometheusNamespace: string;
  /** By digest; vlagent. */
  image: string;
  store: LogStore;
  dns: Dns;
  resources: Resources;
}

const app = "vlagent";
/** Where the kubelet has the logs: links, and what they lead to. */
const logFolders = { containers: "/var/log/containers", pods: "/var/log/pods" };

/**
 * Sends the store what the stack's pods say, from each node's files. Root alone may read those, so it
 * has a namespace of its own, beside one that refuses such pods.
 */
export class LogCollector extends Component {
  readonly app = app;

  constructor(name: string, args: LogCollectorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("LogCollector", name, args, opts);
    const { store } = args;
    const namespace = `${args.namespace}-logs`;
    const home = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: namespace,
          labels: { "pod-security.kubernetes.io/enforce": "privileged" },
        },
      },
      this.child,
    );
    const inside = { ...this.child, dependsOn: home };
    const metadata = { name: app, namespace, labels: labels(app) };
    const account = new k8s.core.v1.ServiceAccount(`${name}-account`, { metadata }, inside);
    // Of the whole cluster; so their names say whose they are.
    const clusterWide = { name: namespace, labels: labels(app) };
    const role = new k8s.rbac.v1.ClusterRole(
      `${name}-role`,
      {
        metadata: clusterWide,
        // https://github.com/VictoriaMetrics/VictoriaLogs/blob/v1.52.1/app/vlagent/kubernetescollector/client.go
        rules: [
          { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] },
          { apiGroups: [""], resources: ["nodes"], verbs: ["get"] },
          { apiGroups: [""], resources: ["namespaces"], verbs: ["list"] },
        ],
      },
      this.child,
    );
    const binding = new k8s.rbac.v1.ClusterRoleBinding(
      `${name}-binding`,
      {
        metadata: clusterWide,
        roleRef: {
          apiGroup: "rbac.authorization.k8s.io",
          kind: "ClusterRole",
          name: role.metadata.name,
        },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
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
          ports: [{ name: "metrics", port: ports.vlagent }],
        },
      },
      inside,
    );
    new k8s.apps.v1.DaemonSet(
      `${name}-server`,
      {
        metadata,
        spec: {
          selector: { matchLabels: labels(app) },
          template: {
            metadata: { labels: labels(app) },
            spec: {
              serviceAccountName: account.metadata.name,
              enableServiceLinks: false,
              securityContext: {
                runAsUser: 0,
                runAsGroup: 0,
                seccompProfile: { type: "RuntimeDefault" },
              },
              // Nodes with GPUs too, and those that are being drained.
              tolerations: [{ operator: "Exists" }],
              containers: [
                {
                  ...restrictedContainer,
                  name: app,
                  image: args.image,
                  command: collectorCommand(args.namespace, store.url),
                  ports: [{ name: "metrics", containerPort: ports.vlagent }],
                  resources: args.resources,
                  readinessProbe: { httpGet: { path: "/health", port: "metrics" } },
                  livenessProbe: {
                    httpGet: { path: "/health", port: "metrics" },
                    failureThreshold: 6,
                  },
                  volumeMounts: [
                    ...Object.entries(logFolders).map(([name, mountPath]) => ({
                      name,
                      mountPath,
                      readOnly: true,
                    })),
                    { name: "buffer", mountPath: bufferPath },
                  ],
                },
              ],
              volumes: [
                ...Object.entries(logFolders).map(([name, path]) => ({
                  name,
                  hostPath: { path, type: "Directory" },
                })),
                // The node's: a pod that comes after goes on where this one stopped.
                {
                  name: "buffer",
                  hostPath: { path: `/var/lib/${namespace}`, type: "DirectoryOrCreate" },
                },
              ],
            },
          },
        },
      },
      { ...inside, dependsOn: [home, binding] },
    );
    new NetworkPolicies(
      `${name}-policies`,
      {
        namespace,
        flows: [
          { from: this, to: { namespace: args.namespace }, ports: [ports.victoriaLogs] },
          { from: this, to: "anywhere", ports: apiServer },
          { from: { namespace: args.prometheusNamespace }, to: this, ports: [ports.vlagent] },
        ],
        operatorNetworks: [],
        dns: args.dns,
      },
      { parent: this, dependsOn: home },
    );
    const host = serviceHost(app, namespace);
    this.targets.push({ job: "log-collector", namespace, host, port: ports.vlagent });
    this.alerts.push({
      name: "LogsWait",
      // https://github.com/VictoriaMetrics/VictoriaLogs/blob/v1.52.1/app/vlagent/remotewrite/remotewrite.go
      when: 'sum by (instance) (vlagent_remotewrite_pending_data_bytes{job="log-collector"}) > 1e8',
      for: "15m",
      severity: "ticket",
      summary:
        "{{ $value | humanize1024 }}B of logs wait on the node of {{ $labels.instance }}; at 1 GB the oldest are lost.",
      action: "kubectl logs victoria-logs-0: is it there, has its volume room?",
    });
    this.flows.push({ from: { namespace }, to: store, ports: [ports.victoriaLogs] });
    this.registerOutputs();
  }
}

const bufferPath = "/buffer";

/**
 * https://docs.victoriametrics.com/victorialogs/vlagent/#collect-kubernetes-pod-logs
 * @param namespace whose pods' logs are read
 * @param store URL of the log store
 */
const collectorCommand = (namespace: string, store: string): string[] => [
  "/vlagent-prod",
  "-kubernetesCollector",
  `-kubernetesCollector.excludeFilter=!kubernetes.pod_namespace:=${JSON.stringify(namespace)}`,
  // It takes logs from files alone.
  "-insert.disable",
  `-tmpDataPath=${bufferPath}`,
  `-remoteWrite.url=${store}/insert/native`,
  // Two of its files: what the node keeps while the store is away.
  "-remoteWrite.maxDiskUsagePerURL=1GB",
  "-remoteWrite.retryMaxTime=10s",
  "-loggerFormat=json",
];
