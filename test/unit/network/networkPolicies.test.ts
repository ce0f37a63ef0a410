import { describe, expect, test } from "vitest";
import { ports } from "../../../components/names";
import type { Flow } from "../../../components/network/flows";
import { type Dns, renderPolicies } from "../../../components/network/networkPolicies";
import { ModelStore } from "../../../components/service/modelStore";
import { accepted } from "../../golden/stacks";
import { declared } from "../declared";

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

/** What a stack declares, by app. */
const policiesOf = (stack: string): Record<string, Policy> =>
  Object.fromEntries(
    Object.entries(accepted(stack))
      .filter(([, { type }]) => type.endsWith(":NetworkPolicy"))
      .map(([name, { inputs }]) => [
        name.replace("policies-", ""),
        (inputs as { spec: Policy }).spec,
      ]),
  );
const portsOf = (rules: Rule[] = []) => rules.flatMap((rule) => rule.ports.map(({ port }) => port));

const apps = [
  ...["nginx", "api", "api-migrations", "aigc-worker", "postgres", "redis", "object-store"],
  ...["prometheus", "alertmanager", "backup", "restore", "models", "front-cloudflared"],
];
const listed = [
  "front-cloudflared → nginx:8080",
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
  "prometheus → front-cloudflared:2000",
  "prometheus → nginx:9113",
  "backup → postgres:5432",
  "backup → object-store:7070",
  "restore → postgres:5432",
  "restore → object-store:7070",
];

describe("with every store in the cluster", () => {
  const policies = policiesOf("prod");

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

  test("behind a tunnel nothing listens to the world", () => {
    for (const { ingress } of Object.values(policies)) {
      expect(JSON.stringify(ingress ?? [])).not.toContain("ipBlock");
    }
  });

  test("nobody watches Prometheus from outside, unless operators have a network", () => {
    expect(policies.prometheus?.ingress).toHaveLength(1);
    const watched = policiesOf("alternatives").prometheus;
    expect(watched?.ingress?.[1]?.from).toEqual([{ ipBlock: { cidr: "192.0.2.0/24" } }]);
  });
});

test("only nginx listens to the world, by TLS alone where Cloudflare stands before it", () => {
  const open = (stack: string) =>
    Object.entries(policiesOf(stack)).flatMap(([app, { ingress = [] }]) =>
      portsOf(
        ingress.filter(({ from }) => from?.some(({ ipBlock }) => ipBlock?.cidr === "0.0.0.0/0")),
      ).map((port) => `${app}:${port}`),
    );
  expect(open("local")).toEqual([`nginx:${ports.nginx}`]);
  expect(open("alternatives")).toEqual([`nginx:${ports.nginxTls}`]);
});

test("stores on AWS are reached at their ports outside, and have no policy here", () => {
  const policies = policiesOf("alternatives");
  expect(Object.keys(policies)).not.toContain("postgres");
  // And nginx, whose certificate it looks at.
  expect(portsOf(policies.api?.egress)).toEqual([53, 53, 5432, 6379, 443, 4318, 8443]);
});

test("what two parts need alike is one rule", () => {
  const rules = policiesOf("alternatives").backup?.egress?.map((rule) => JSON.stringify(rule));
  expect(rules).toHaveLength(new Set(rules).size);
});

test("only who asks the node's agent for a role reaches it, at its address alone", () => {
  const asking = (stack: string) =>
    Object.entries(policiesOf(stack))
      .filter(([, { egress }]) => JSON.stringify(egress ?? []).includes("169.254.170.23"))
      .map(([app]) => app);
  expect(asking("local")).toEqual([]);
  expect(asking("prod").sort()).toEqual([
    "backup",
    "postgres",
    "restore",
    "restore-drill",
    "scrub",
  ]);
  expect(policiesOf("prod").backup?.egress?.at(-1)).toEqual({
    to: [{ ipBlock: { cidr: "169.254.170.23/32" } }, { ipBlock: { cidr: "fd00:ec2::23/128" } }],
    ports: [{ port: 80, protocol: "TCP" }],
  });
});

describe("a pod finds DNS", () => {
  const flow: Flow = { from: { app: "nginx" }, to: { app: "api" }, ports: [ports.http] };
  const egress = (dns: Dns) =>
    (renderPolicies([flow], [], dns) as unknown as Record<string, Policy>).nginx?.egress?.[0];
  const namespace = (name: string) => ({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
  });

  test("in the namespace of its Service, and in a node's cache", () => {
    const usual = {
      host: "kube-dns.kube-system.svc.cluster.local",
      networks: ["169.254.20.10/32"],
      port: 53,
    };
    expect(egress(usual)?.to).toEqual([
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
  expect(portsOf(policiesOf("alternatives").alertmanager?.egress)).toEqual([53, 53, 443, 587]);
});

test("pods are anywhere too: for some network plugins none is in a CIDR", () => {
  const { nginx, models } = policiesOf("local");
  expect(nginx?.ingress?.[0]?.from).toContainEqual({ namespaceSelector: {} });
  expect(models?.egress?.[1]?.to).toContainEqual({ namespaceSelector: {} });
});

test.each([
  ["https://huggingface.co", [443]],
  ["https://mirror.example:8443/hub", [443, 8443]],
  ["http://mirror.example", [443, 80]],
  ["s3://weights/models", [443]],
])("weights are fetched from %s at its port", async (endpoint, expected) => {
  const { made } = await declared(
    () =>
      new ModelStore("models", {
        namespace: "ns",
        image: "",
        downloadImage: "image",
        model: "tiny-sdxl",
        revision: "",
        loras: [],
        endpoint,
        storage: "1Gi",
        accessMode: "ReadWriteOnce",
        storageClass: "",
        protect: false,
        resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "1Gi" } },
      }),
  );
  expect(made.flows.flatMap(({ ports }) => ports)).toEqual(expected);
});
