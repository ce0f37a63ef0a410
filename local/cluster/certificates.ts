import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kubeconfig, pki } from "../paths";
import { run } from "../run";
import { addresses, clusterDomain, nodeName } from "./addresses";

/** Days; the cluster is remade long before. */
const validity = "3650";

interface Identity {
  name: string;
  subject: string;
  alternativeNames?: string[];
  /** Who signs it: `ca`, unless another does. */
  authority?: string;
}

/**
 * Of whom servers behind the API server believe for whom a request is. Apart from `ca`, whose every
 * client could else be anybody.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#ca-reusage-and-conflicts
 */
export const frontProxy = { authority: "front-proxy-ca", client: "front-proxy-client" };

/** Who talks to the API server, as kubeadm names and groups them. */
const identities: Identity[] = [
  {
    name: "apiserver",
    subject: "/CN=kube-apiserver",
    alternativeNames: [
      ...["kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(
        (name) => `DNS:${name}`,
      ),
      `DNS:kubernetes.default.svc.${clusterDomain}`,
      "DNS:localhost",
      ...["127.0.0.1", addresses.node, addresses.kubernetesService].map((ip) => `IP:${ip}`),
    ],
  },
  {
    name: "apiserver-kubelet-client",
    subject: "/O=system:masters/CN=kube-apiserver-kubelet-client",
  },
  {
    name: frontProxy.client,
    subject: `/CN=${frontProxy.client}`,
    authority: frontProxy.authority,
  },
  { name: "admin", subject: "/O=system:masters/CN=kubernetes-admin" },
  { name: "controller-manager", subject: "/CN=system:kube-controller-manager" },
  { name: "scheduler", subject: "/CN=system:kube-scheduler" },
  { name: "proxy", subject: "/CN=system:kube-proxy" },
  // It starts before any role is made.
  { name: "router", subject: "/O=system:masters/CN=kube-router" },
  { name: "kubelet", subject: `/O=system:nodes/CN=system:node:${nodeName}` },
];

/** A component that reaches the API server with a kubeconfig named after it. */
export const clients = ["admin", "controller-manager", "scheduler", "proxy", "router", "kubelet"];

const file = (name: string) => join(pki, name);

/** Makes what is missing of the certificate authority, all identities and their kubeconfigs. */
export async function ensureCertificates(): Promise<void> {
  if (!existsSync(file("complete"))) await newCluster();
  if (!existsSync(file(`${frontProxy.authority}.crt`))) await newAuthority(frontProxy.authority);
  for (const identity of identities) {
    if (!existsSync(file(`${identity.name}.crt`))) await issue(identity);
  }
  for (const client of clients) ensureKubeconfig(client, file(`${client}.kubeconfig`));
  ensureKubeconfig("admin", kubeconfig);
}

/** What signs certificates and service accounts' tokens. */
async function newCluster(): Promise<void> {
  rmSync(pki, { recursive: true, force: true });
  rmSync(kubeconfig, { force: true });
  mkdirSync(pki, { recursive: true, mode: 0o700 });
  await newAuthority("ca");
  await newKey("service-account");
  await openssl([
    "ec",
    "-in",
    file("service-account.key"),
    "-pubout",
    "-out",
    file("service-account.pub"),
  ]);
  writeFileSync(file("complete"), "");
}

async function newAuthority(name: string): Promise<void> {
  await newKey(name);
  await openssl([
    ...["req", "-x509", "-new", "-key", file(`${name}.key`), "-subj", `/CN=image-service-${name}`],
    ...["-days", validity, "-out", file(`${name}.partial`)],
  ]);
  renameSync(file(`${name}.partial`), file(`${name}.crt`));
}

async function issue(identity: Identity): Promise<void> {
  const { name, subject, alternativeNames, authority = "ca" } = identity;
  await newKey(name);
  const extensions = [
    "extendedKeyUsage=serverAuth,clientAuth",
    ...(alternativeNames ? [`subjectAltName=${alternativeNames.join(",")}`] : []),
  ];
  await openssl([
    ...["req", "-x509", "-new"],
    ...["-CA", file(`${authority}.crt`), "-CAkey", file(`${authority}.key`)],
    ...["-key", file(`${name}.key`), "-subj", subject, "-days", validity],
    ...extensions.flatMap((extension) => ["-addext", extension]),
    ...["-addext", "basicConstraints=critical,CA:FALSE", "-out", file(`${name}.partial`)],
  ]);
  // Whole or not there, should this be cut off.
  renameSync(file(`${name}.partial`), file(`${name}.crt`));
}

const newKey = (name: string) =>
  openssl([
    "genpkey",
    "-algorithm",
    "EC",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-out",
    file(`${name}.key`),
  ]);

const openssl = (args: string[]) => run("openssl", args);

function ensureKubeconfig(client: string, path: string): void {
  if (existsSync(path)) return;
  writeFileSync(`${path}.partial`, renderKubeconfig(client), { mode: 0o600 });
  renameSync(`${path}.partial`, path);
}

function renderKubeconfig(client: string): string {
  const base64 = (name: string) => readFileSync(file(name)).toString("base64");
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      "current-context": nodeName,
      clusters: [
        {
          name: nodeName,
          cluster: { server: addresses.apiServer, "certificate-authority-data": base64("ca.crt") },
        },
      ],
      contexts: [{ name: nodeName, context: { cluster: nodeName, user: client } }],
      users: [
        {
          name: client,
          user: {
            "client-certificate-data": base64(`${client}.crt`),
            "client-key-data": base64(`${client}.key`),
          },
        },
      ],
    },
    null,
    2,
  );
}
