import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { readOutputs } from "../../outputs";

const config = new pulumi.Config();
const service = readOutputs(new pulumi.StackReference(config.require("service")));

const provider = new k8s.Provider("cluster", {
  // "": the plugin reads $KUBECONFIG as kubectl does; undefined: the SDK keeps it in the state.
  kubeconfig: config.get("kubeconfig") ?? "",
  clusterIdentifier: "image-client",
});
const namespace = new k8s.core.v1.Namespace(
  "namespace",
  {
    metadata: {
      name: "image-client",
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    },
  },
  { provider },
);
const metadata = { namespace: namespace.metadata.name };

const key = new k8s.core.v1.Secret(
  "key",
  { metadata, stringData: { API_SECRET: config.requireSecret("apiSecret") } },
  { provider },
);
const job = new k8s.batch.v1.Job(
  "client",
  {
    metadata,
    spec: {
      backoffLimit: 2,
      template: {
        metadata: { labels: { app: "image-client" } },
        spec: {
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65534,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: "client",
              image: config.require("image"),
              imagePullPolicy: "IfNotPresent",
              command: ["python3", "-c", readFileSync(join(__dirname, "client.py"), "utf8")],
              env: [{ name: "SERVICE_URL", value: service.internalService }],
              envFrom: [{ secretRef: { name: key.metadata.name } }],
              resources: {
                requests: { cpu: "50m", memory: "32Mi" },
                limits: { memory: "128Mi" },
              },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ["ALL"] },
                readOnlyRootFilesystem: true,
              },
            },
          ],
        },
      },
    },
  },
  { provider },
);

/** Where the picture's size is printed: `kubectl logs job/NAME -n image-client`. */
export const jobName = job.metadata.name;
