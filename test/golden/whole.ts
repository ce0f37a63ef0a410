import { type Props, podOf } from "../../policy/resource";
import { flowsOf } from "./flows";
import type { Declaration } from "./record";

// What no resource tells alone: whether the parts of a stack fit together.

export type Stack = Record<string, Declaration>;

/** What is wrong with a stack as a whole, one sentence each. */
export function faultsOf(stack: Stack): string[] {
  const objects = Object.entries(stack)
    .filter(([, { type }]) => type.startsWith("kubernetes:"))
    .map(([name, { type, inputs }]): KubernetesObject => {
      const props = plain(inputs) as Props;
      const kind = type.split(":").at(-1) as string;
      const resource = { type, name, stack: "", props, protect: false };
      const pod = kind === "Cluster" ? operatedPod(props) : podOf(resource);
      // The recorder gives an object without a name its logical one.
      return { name: props.metadata?.name ?? name, kind, props, pod };
    });
  return [
    ...twice(
      objects.map(({ kind, name, props }) => {
        const { namespace } = props.metadata ?? {};
        return [kind, name, ...(namespace ? ["in", namespace] : [])].join(" ");
      }),
    ),
    ...selectorFaults(objects),
    ...policyFaults(objects),
    ...flowFaults(stack, objects),
    ...referenceFaults(objects),
    ...scrapeFaults(objects),
    ...inhibitionFaults(objects),
  ];
}

interface KubernetesObject {
  name: string;
  kind: string;
  props: Props;
  pod: ReturnType<typeof podOf>;
}

/**
 * What CloudNativePG makes of a Cluster, as far as other parts have to fit.
 * https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.28.0/pkg/specs/pods.go
 */
const operatedPod = ({ spec }: Props): KubernetesObject["pod"] => ({
  labels: spec.inheritedMetadata.labels,
  spec: {
    ...spec,
    containers: [
      {
        ports: [
          { name: "postgresql", containerPort: 5432 },
          { name: "metrics", containerPort: 9187 },
          { name: "status", containerPort: 8000 },
        ],
      },
    ],
    volumes: [{ secret: { secretName: spec.bootstrap.initdb.secret.name } }],
  },
});

/** Golden files mark secrets and split text into lines. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const [key, ...others] = Object.keys(value);
  // A volume has a `secret` too, beside its name.
  if (key === "secret" && others.length === 0) return plain((value as Props).secret);
  if (key === "lines" && others.length === 0) return (value as Props).lines.join("\n");
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

const twice = (names: string[]) =>
  [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
    (name) => `${name} is there twice`,
  );

const without = (names: string[], others: string[]) =>
  names.filter((name) => !others.includes(name));

const appsOf = (objects: KubernetesObject[]): string[] =>
  objects.flatMap(({ pod }) => (pod ? [pod.labels.app as string] : []));

function selectorFaults(objects: KubernetesObject[]): string[] {
  const apps = appsOf(objects);
  const selecting = objects.filter(({ kind }) => ["Service", "PodDisruptionBudget"].includes(kind));
  return [
    // Two controllers with one selector fight over each other's pods.
    ...twice(apps.map((app) => `the pods ${app}`)),
    ...selecting.flatMap(({ kind, name, props }) => {
      const { app } = props.spec.selector.matchLabels ?? props.spec.selector;
      return apps.includes(app) ? [] : [`${kind} ${name} selects ${app}, which no pod is`];
    }),
    ...objects
      .filter(({ kind }) => kind === "Service")
      .flatMap(({ name, props }) => portFaults(name, props, objects)),
  ];
}

function portFaults(name: string, { spec }: Props, objects: KubernetesObject[]): string[] {
  const { app } = spec.selector;
  const open = portsOf(app, objects);
  const world = worldPorts(app, objects);
  return (spec.ports as Props[]).flatMap(({ port, targetPort = port }) => {
    const led = open.find((each) => [each.name, each.number].includes(targetPort));
    if (!led) return `Service ${name} leads to port ${targetPort}, which its pods don't open`;
    return ["NodePort", "LoadBalancer"].includes(spec.type) && !world.includes(led.number)
      ? `Service ${name} leads the world to port ${led.number}, where a policy stops it`
      : [];
  });
}

const portsOf = (app: string, objects: KubernetesObject[]): { name: string; number: number }[] =>
  objects
    .filter(({ pod }) => pod?.labels.app === app)
    .flatMap(({ pod }) => (pod?.spec.containers ?? []) as Props[])
    .flatMap(({ ports = [] }) => ports as Props[])
    .map(({ name, containerPort }) => ({ name, number: containerPort }));

/** Ports of an app's pods that policies open to any address. */
const worldPorts = (app: string, objects: KubernetesObject[]): number[] =>
  objects
    .filter(({ kind, props }) => kind === "NetworkPolicy" && selectedApp(props) === app)
    .flatMap(({ props }) => (props.spec.ingress ?? []) as Props[])
    .filter(({ from }) => (from as Props[]).some(({ ipBlock }) => ipBlock?.cidr === "0.0.0.0/0"))
    .flatMap(({ ports }) => (ports as Props[]).map(({ port }) => port as number));

const selectedApp = ({ spec }: Props): string | undefined => spec.podSelector.matchLabels?.app;

/** Each pod has a policy, and each policy speaks of pods that there are. */
function policyFaults(objects: KubernetesObject[]): string[] {
  const apps = appsOf(objects);
  const policies = objects.filter(({ kind }) => kind === "NetworkPolicy");
  const selected = policies.flatMap(({ props }) => selectedApp(props) ?? []);
  const peers = policies.flatMap(({ props: { spec } }) =>
    [...(spec.ingress ?? []), ...(spec.egress ?? [])].flatMap(({ from, to }: Props) =>
      ((from ?? to) as Props[]).flatMap((peer) => peer.podSelector?.matchLabels?.app ?? []),
    ),
  );
  return [
    ...apps
      .filter((app) => !selected.includes(app))
      .map((app) => `the pods ${app} have no NetworkPolicy`),
    ...[...new Set([...selected, ...peers])]
      .filter((app) => !apps.includes(app))
      .map((app) => `a NetworkPolicy speaks of ${app}, which no pod is`),
  ];
}

/** Both ends of a flow allow it, its port is open, and each port of a Service is at the end of one. */
function flowFaults(stack: Stack, objects: KubernetesObject[]): string[] {
  const apps = appsOf(objects);
  const flows = flowsOf(stack).filter(({ to }) => apps.includes(to));
  const ends = flows.flatMap(({ to, ports }) => ports.map((port) => `${to}:${port}`));
  const open = (app: string) => portsOf(app, objects).map(({ number }) => `${app}:${number}`);
  const served = objects
    .filter(({ kind }) => kind === "Service")
    .flatMap(({ props }) => open(props.spec.selector.app));
  const opened = apps.flatMap(open);
  const between = (side: "ingress" | "egress") =>
    flows
      .filter(({ from, policy }) => policy === side && apps.includes(from))
      .flatMap(({ from, to, ports }) => ports.map((port) => `${from} to ${to}:${port}`));
  return [
    ...[...new Set(ends)]
      .filter((end) => !opened.includes(end))
      .map((end) => `a NetworkPolicy leads to ${end}, which is closed`),
    ...[...new Set(served)]
      .filter((end) => !ends.includes(end))
      .map((end) => `${end} has a Service, and no NetworkPolicy leads to it`),
    ...without(between("ingress"), between("egress")).map((flow) => `${flow}: no leave to go`),
    ...without(between("egress"), between("ingress")).map((flow) => `${flow}: no leave to come`),
  ];
}

/** What pods read is there, and what is there is read. */
function referenceFaults(objects: KubernetesObject[]): string[] {
  const read = new Set(objects.flatMap(({ pod }) => (pod ? referencesOf(pod.spec) : [])));
  const kinds = ["Secret", "ConfigMap", "PersistentVolumeClaim", "ServiceAccount"];
  const there = [
    ...objects
      .filter(({ kind, props }) => kinds.includes(kind) && !readByGrafana(props))
      .map(({ kind, name }) => `${kind} ${name}`),
    // cert-manager makes a Secret of each.
    ...objects
      .filter(({ kind }) => kind === "Certificate")
      .map(({ props }) => `Secret ${props.spec.secretName}`),
  ];
  return [
    ...there.filter((name) => !read.has(name)).map((name) => `${name} is read by no pod`),
    ...[...read]
      .filter((name) => !there.includes(name))
      .map((name) => `a pod reads ${name}, which isn't there`),
  ];
}

/** Whose pod is not of the stack. */
const readByGrafana = (props: Props) => props.metadata?.labels?.grafana_dashboard === "1";

function referencesOf(spec: Props): string[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers] as Props[];
  const env = containers.flatMap(({ env = [] }) => env as Props[]);
  const envFrom = containers.flatMap(({ envFrom = [] }) => envFrom as Props[]);
  const volumes = (spec.volumes ?? []) as Props[];
  const references: [string, string | undefined][] = [
    ...env.map(({ valueFrom }): [string, string] => ["Secret", valueFrom?.secretKeyRef?.name]),
    ...env.map(({ valueFrom }): [string, string] => [
      "ConfigMap",
      valueFrom?.configMapKeyRef?.name,
    ]),
    ...envFrom.map(({ secretRef }): [string, string] => ["Secret", secretRef?.name]),
    ...envFrom.map(({ configMapRef }): [string, string] => ["ConfigMap", configMapRef?.name]),
    ...volumes.map(({ secret }): [string, string] => ["Secret", secret?.secretName]),
    ...volumes.map(({ configMap }): [string, string] => ["ConfigMap", configMap?.name]),
    ...volumes.map(({ persistentVolumeClaim }): [string, string] => [
      "PersistentVolumeClaim",
      persistentVolumeClaim?.claimName,
    ]),
    ...((spec.imagePullSecrets ?? []) as Props[]).map(({ name }): [string, string] => [
      "Secret",
      name,
    ]),
    ["ServiceAccount", spec.serviceAccountName],
  ];
  return references.flatMap(([kind, name]) => (name ? [`${kind} ${name}`] : []));
}

function scrapeFaults(objects: KubernetesObject[]): string[] {
  const services = objects
    .filter(({ kind }) => kind === "Service")
    .map(({ name, props }) => ({
      host: `${name}.${props.metadata.namespace}.svc.cluster.local`,
      app: `${props.metadata.namespace}/${props.spec.selector.app}`,
      ports: (props.spec.ports as Props[]).map(({ name }) => name as string),
    }));
  const monitors = objects
    .filter(({ kind }) => kind === "PodMonitor")
    .map(({ name, props: { metadata, spec } }) => ({
      name,
      app: spec.selector.matchLabels.app as string,
      port: spec.podMetricsEndpoints[0].portNumber as number,
      pods: `${spec.namespaceSelector?.matchNames[0] ?? metadata.namespace}/${spec.selector.matchLabels.app}`,
    }));
  const jobs = objects
    .flatMap(({ props }) => (props.data?.["prometheus.yml"] ?? []) as string)
    .flatMap((text) => JSON.parse(text).scrape_configs as Props[]);
  const scraped = jobs
    .flatMap(({ dns_sd_configs = [] }) => dns_sd_configs as Props[])
    .flatMap(({ names }) => names as string[]);
  // What is of another namespace is no part of the stack.
  const namespaces = services.map(({ host }) => host.split(".")[1]);
  return [
    ...twice(jobs.map(({ job_name }) => `the scrape job ${job_name}`)),
    ...scraped
      .filter((name) => namespaces.includes(name.split(".")[1]))
      .filter((name) => !services.some(({ host }) => host === name))
      .map((host) => `Prometheus scrapes ${host}, which no Service is`),
    ...services
      .filter(
        ({ host, app, ports }) =>
          ports.includes("metrics") &&
          !scraped.includes(host) &&
          !monitors.some(({ pods }) => pods === app),
      )
      .map(({ host }) => `${host} has metrics that Prometheus doesn't scrape`),
    ...monitors
      .filter(({ app, port }) => !portsOf(app, objects).some(({ number }) => number === port))
      .map(({ name, app, port }) => `PodMonitor ${name} asks ${app}:${port}, which is closed`),
  ];
}

/** Alertmanager keeps quiet about what follows from another alert, by name. */
function inhibitionFaults(objects: KubernetesObject[]): string[] {
  const rules = objects
    .flatMap(({ props }) => (props.data?.["alerts.yml"] ?? []) as string)
    .flatMap((text) => JSON.parse(text).groups as Props[])
    .flatMap(({ rules }) => rules as { alert: string; labels: object }[]);
  const alerts = rules.map(({ alert }) => alert);
  const named = objects
    .flatMap(({ props }) => (props.stringData?.["alertmanager.yml"] ?? []) as string)
    .flatMap((text) => JSON.parse(text).inhibit_rules as Props[])
    .flatMap((rule) => [...rule.source_matchers, ...rule.target_matchers] as string[])
    .flatMap((matcher) => /^alertname=~?"(.*)"$/.exec(matcher)?.[1]?.split("|") ?? []);
  return [
    // Each pool of workers has one of its own.
    ...twice(rules.map(({ alert, labels }) => `the alert ${alert} ${JSON.stringify(labels)}`)),
    ...[...new Set(named)]
      .filter((name) => !alerts.includes(name))
      .map((name) => `Alertmanager knows of ${name}, which no alert is`),
  ];
}
