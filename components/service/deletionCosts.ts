import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { restrictedContainer, restrictedPod, scratch } from "../kubernetes/pods";
import { labels } from "../names";
import { apiServer } from "../network/flows";
import { otherModels, serviceUid } from "./api";
import type { ServiceSettings } from "./serviceSettings";

export interface DeletionCostsArgs extends ComponentArgs {
  namespace: string;
  /** By digest; target `api` of docker/service. */
  image: pulumi.Input<string>;
  settings: ServiceSettings;
  /** What tasks may name besides the api's own model. */
  otherModels: string[];
}

/**
 * Tells Kubernetes which workers have a task, so that a scale-in takes idle ones first. Apart from the
 * api, since it may change pods: their annotations and status, not what they run.
 */
export class DeletionCosts extends Component {
  readonly app: string;

  constructor(name: string, args: DeletionCostsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("DeletionCosts", name, args, opts);
    this.app = name;
    const { namespace, settings } = args;
    const metadata = { name, namespace, labels: labels(name) };
    const account = new k8s.core.v1.ServiceAccount(`${name}-account`, { metadata }, this.child);
    const role = new k8s.rbac.v1.Role(
      `${name}-role`,
      { metadata, rules: [{ apiGroups: [""], resources: ["pods/status"], verbs: ["patch"] }] },
      this.child,
    );
    const binding = new k8s.rbac.v1.RoleBinding(
      `${name}-binding`,
      {
        metadata,
        roleRef: {
          apiGroup: "rbac.authorization.k8s.io",
          kind: "Role",
          name: role.metadata.name,
        },
        subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
      },
      this.child,
    );
    new k8s.apps.v1.Deployment(
      `${name}-server`,
      {
        metadata,
        spec: {
          replicas: 1,
          selector: { matchLabels: labels(name) },
          template: {
            metadata: { labels: labels(name) },
            spec: {
              ...restrictedPod(serviceUid),
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: true,
              containers: [
                {
                  ...restrictedContainer,
                  name: "deletion-costs",
                  image: args.image,
                  command: ["python", "-m", "tasks.deletion_costs"],
                  env: [
                    settings.databaseUrl,
                    settings.queueUrl,
                    { name: "DATABASE_CONNECTIONS", value: "1" },
                    ...otherModels(args.otherModels),
                  ],
                  resources: {
                    requests: { cpu: "10m", memory: "64Mi" },
                    limits: { memory: "256Mi" },
                  },
                  volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
                },
              ],
              volumes: [scratch("tmp")],
            },
          },
        },
      },
      { ...this.child, dependsOn: binding },
    );
    this.flows.push(
      { from: this, ...settings.database },
      { from: this, ...settings.queue },
      { from: this, to: "anywhere", ports: apiServer },
    );
    this.registerOutputs();
  }
}
