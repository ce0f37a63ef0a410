import { describe, expect, test } from "vitest";
import { ports } from "../../../components/names";
import { type Flow, type FlowsArgs, stackFlows } from "../../../components/network/flows";
import { type Dns, renderPolicies } from "../../../components/network/networkPolicies";

const inCluster: FlowsArgs = {
  postgres: { managed: false },
  redis: { managed: false },
  objectStore: { managed: false, bucket: "" },
  askingAgent: [],
  models: { endpoint: "https://huggingface.co" },
  backups: { managed: false },
  monitoring: { alertmanager: true, receivers: ["webhook"], email: { smarthost: "" } },
  cloudflare: { mode: "off" },
};
const onAws: FlowsArgs = {
  ...inCluster,
  postgres: { managed: true },
  redis: { managed: true },
  objectStore: { managed: false, bucket: "pictures" },
  backups: { managed: true },
};

/** A peer as Kubernetes reads it: whom it lets through, by app or by kind of place. */
interface Policy {
  podSelector: { matchLabels?: { app: string } };
  policyTypes: string[];
  ingress?: Rule[];
  egress?: Rule[];
}
interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports: { port: number; protocol: string }[];
}
type Peer = { podSelector?: { matchLabels: { app: string } }; ipBlock?: { cidr: string } };

/** Whether one pod of the namespace may open a TCP connection to another, as Kubernetes decides. */
function allows(policies: Policy[], from: string, to: string, port: number): boolean {
  const selects = (policy: Policy, app: string) =>
    [undefined, app].includes(policy.podSelector.matchLabels?.app);
  const meets = (peers: Peer[] | undefined, app: string) =>
    peers?.some((peer) => peer.podSelector?.matchLabels.app === app);
  const open = (rule: Rule) =>
    rule.ports.some((entry) => entry.port === port && entry.protocol === "TCP");
  return (
    policies.some(
      (policy) =>
        selects(policy, to) && policy.ingress?.some((rule) => open(rule) && meets(rule.from, from)),
    ) &&
    policies.some(
      (policy) =>
        selects(policy, from) && policy.egress?.some((rule) => open(rule) && meets(rule.to, to)),
    )
  );
}

const usualDns: Dns = {
  host: "kube-dns.kube-system.svc.cluster.local",
  networks: ["169.254.20.10/32"],
  port: 53,
};
const policiesOf = (flows: Flow[], operators: string[] = [], dns = usualDns) =>
  renderPolicies(flows, operators, dns) as unknown as Record<string, Policy>;

const apps = [
  ...["nginx", "api", "api-migrations", "aigc-worker", "postgres", "redis", "object-store"],
  ...["prometheus", "alertmanager", "backup", "restore", "models"],
];
const listed = [
  "nginx → api:8000",
  "api → postgres:5432",
  "api → redis:6379",
  "api → object-store:7070",
  "aigc-worker → postgres:5432",
  "aigc-worker → redis:6379",
  "aigc-worker → object-store:7070",
  "api-migrations → postgres:5432",
  "prometheus → api:9090",
  "prometheus → aigc-worker:9090",
  "prometheus → prometheus:9090",
  "prometheus → alertmanager:9093",
  "backup → postgres:5432",
  "backup → object-store:7070",
  "restore → postgres:5432",
  "restore → object-store:7070",
];

describe("with every store in the cluster", () => {
  const policies = policiesOf(stackFlows(inCluster));

  test("pods reach what the diagram shows, and no other pod or port", () => {
    const open = apps.flatMap((from) =>
      apps.flatMap((to) =>
        [...new Set(Object.values(ports))]
          .filter((port) => allows(Object.values(policies), from, to, port))
          .map((port) => `${from} → ${to}:${port}`),
      ),
    );
    expect(open.sort()).toEqual([...listed].sort());
  });

  test("a pod without a flow of its own reaches nobody and is reached by nobody", () => {
    expect(policies["default-deny"]).toEqual({
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
    });
  });

  test("only nginx listens to the world", () => {
    const open = Object.entries(policies).filter(([, { ingress }]) =>
      ingress?.some(({ from }) => from?.some((peer) => peer.ipBlock)),
    );
    expect(open.map(([app]) => app)).toEqual(["nginx"]);
  });

  test("nobody watches Prometheus from outside, unless operators have a network", () => {
    expect(policies.prometheus?.ingress).toHaveLength(1);
    const watched = policiesOf(stackFlows(inCluster), ["192.0.2.0/24"]);
    expect(watched.prometheus?.ingress?.[1]?.from).toEqual([{ ipBlock: { cidr: "192.0.2.0/24" } }]);
  });
});

test("stores on AWS are reached at their ports outside, and have no policy here", () => {
  const policies = policiesOf(stackFlows(onAws));
  expect(Object.keys(policies)).not.toContain("postgres");
  const reached = policies.api?.egress?.flatMap((rule) => rule.ports.map(({ port }) => port));
  expect(reached).toEqual([53, 53, 5432, 6379, 443]);
});

test("only who asks the node's agent for a role reaches it, at its address alone", () => {
  const policies = policiesOf(stackFlows({ ...onAws, askingAgent: ["backup"] }));
  const asks = Object.entries(policies).filter(([, { egress }]) =>
    JSON.stringify(egress ?? []).includes("169.254.170.23"),
  );
  expect(asks.map(([app]) => app)).toEqual(["backup"]);
  expect(policies.backup?.egress?.at(-1)).toEqual({
    to: [{ ipBlock: { cidr: "169.254.170.23/32" } }, { ipBlock: { cidr: "fd00:ec2::23/128" } }],
    ports: [{ port: 80, protocol: "TCP" }],
  });
});

test.each([
  { managed: true, bucket: "" },
  { managed: false, bucket: "pictures" },
])("pictures in AWS are reached there: %o", (objectStore) => {
  const policies = policiesOf(stackFlows({ ...inCluster, objectStore }));
  const reached = policies.api?.egress?.flatMap((rule) => rule.ports.map(({ port }) => port));
  expect(reached).toContain(443);
});

describe("a pod finds DNS", () => {
  const egress = (dns: Dns) => policiesOf(stackFlows(inCluster), [], dns).nginx?.egress?.[0];
  const namespace = (name: string) => ({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
  });

  test("in the namespace of its Service, and in a node's cache", () => {
    expect(egress(usualDns)?.to).toEqual([
      namespace("kube-system"),
      { ipBlock: { cidr: "169.254.20.10/32" } },
    ]);
  });

  test("where OpenShift has it, whose pods listen elsewhere than their Service", () => {
    const rule = egress({
      host: "dns-default.openshift-dns.svc.cluster.local",
      networks: [],
      port: 5353,
    });
    expect(rule?.to).toEqual([namespace("openshift-dns")]);
    expect(rule?.ports.map(({ port }) => port)).toEqual([53, 53, 5353, 5353]);
  });

  test("where GKE has it, at an address", () => {
    const rule = egress({ host: "169.254.169.254", networks: ["169.254.169.254/32"], port: 53 });
    expect(rule?.to).toEqual([{ ipBlock: { cidr: "169.254.169.254/32" } }]);
  });
});

test("mail leaves by the port of its server", () => {
  const monitoring = {
    ...inCluster.monitoring,
    receivers: ["email"],
    email: { smarthost: "smtp.example:587" },
  };
  const policies = policiesOf(stackFlows({ ...inCluster, monitoring }));
  const reached = policies.alertmanager?.egress?.[1]?.ports.map(({ port }) => port);
  expect(reached).toEqual([443, 587]);
});

test("pods are anywhere too: for some network plugins none is in a CIDR", () => {
  const policies = policiesOf(stackFlows(inCluster));
  expect(policies.nginx?.ingress?.[0]?.from).toContainEqual({ namespaceSelector: {} });
  expect(policies.models?.egress?.[1]?.to).toContainEqual({ namespaceSelector: {} });
});

test.each([
  ["https://huggingface.co", [443]],
  ["https://mirror.example:8443/hub", [443, 8443]],
  ["http://mirror.example", [443, 80]],
  ["s3://weights/models", [443]],
])("weights are fetched from %s at its port", (endpoint, expected) => {
  const policies = policiesOf(stackFlows({ ...inCluster, models: { endpoint } }));
  const reached = policies.models?.egress?.flatMap((rule) => rule.ports.map(({ port }) => port));
  expect(reached).toEqual([53, 53, ...expected]);
});

test("behind a tunnel nothing listens to the world", () => {
  const policies = policiesOf(stackFlows({ ...inCluster, cloudflare: { mode: "tunnel" } }));
  for (const { ingress } of Object.values(policies)) {
    expect(JSON.stringify(ingress ?? [])).not.toContain("ipBlock");
  }
  expect(allows(Object.values(policies), "front-cloudflared", "nginx", ports.nginx)).toBe(true);
});
