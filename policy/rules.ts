import { containersOf, kubernetesKind, type Props, podOf, type Resource } from "./resource";

/** A pure function over what was declared. Each text says what is wrong and what would be right. */
export interface Rule {
  name: string;
  description: string;
  violations(resource: Resource): string[];
}

export const rules: Rule[] = [
  containerRule(
    "image-by-digest",
    "An image is named by digest, so that what was reviewed is what runs",
    ({ image }) =>
      !/@sha256:[0-9a-f]{64}$/.test(image ?? "") &&
      `has the image ${image}; name it as repository@sha256:…`,
  ),
  {
    name: "no-latest",
    description: "No image is tagged `latest`, neither one that runs nor one that is pushed",
    violations: (resource) => {
      const pushed = resource.type.startsWith("docker:") ? [resource.props.imageName] : [];
      const run = containersOf(podOf(resource)?.spec ?? {}).map(({ image }) => image);
      return [...pushed, ...run]
        .filter((image) => /:latest(@|$)/.test(image ?? ""))
        .map((image) => `${image} is tagged latest; give it a tag that says what it is`);
    },
  },
  containerRule(
    "requests-and-limits",
    // No CPU limit: it throttles a burst though cores are idle; the request keeps neighbours safe.
    "A container requests CPU and memory, and has a limit of memory",
    ({ resources = {} }) => {
      const missing = ["requests.cpu", "requests.memory", "limits.memory"].filter((path) => {
        const [kind, what] = path.split(".") as ["requests" | "limits", string];
        return !resources[kind]?.[what];
      });
      return missing.length > 0 && `has no ${missing.join(", ")} in its resources`;
    },
  ),
  podRule("worker-gpu", "A worker has exactly the GPU that it was given", ({ labels, spec }) => {
    const containers = containersOf(spec);
    const bypass = containers
      .flatMap(({ env = [] }) => env)
      .some(({ name }) => name === "NVIDIA_VISIBLE_DEVICES");
    const gpus = containers.map(({ resources }) => resources?.limits?.["nvidia.com/gpu"]);
    return [
      /^aigc-worker(-|$)/.test(labels.app) &&
        !gpus.some((count) => Number(count) > 0) &&
        "is a worker without a limit of nvidia.com/gpu; set it to 1",
      bypass && "sets NVIDIA_VISIBLE_DEVICES, which takes GPUs past the scheduler; leave it out",
    ];
  }),
  podRule(
    "pod-security-restricted",
    "A pod passes the restricted Pod Security Standard, on a read-only root file system; the log collector is root, to read the node's logs and keep its place",
    ({ labels, spec }) => [
      ...(isLogCollector(labels) ? logCollectorFaults(spec) : podFaults(spec)),
      ...containersOf(spec).flatMap(containerFaults),
    ],
  ),
  {
    name: "namespace-restricted",
    description:
      "A namespace refuses pods that do not pass the restricted Pod Security Standard, but the log collector's",
    violations: ({ type, name, props }) =>
      kubernetesKind(type) === "Namespace" &&
      name !== "log-collector-namespace" &&
      props.metadata?.labels?.["pod-security.kubernetes.io/enforce"] !== "restricted"
        ? ["lacks the label pod-security.kubernetes.io/enforce: restricted"]
        : [],
  },
  {
    name: "no-public-bucket",
    description: "Nobody without an identity reads or writes a bucket",
    violations: publicBucketFaults,
  },
  {
    name: "encryption",
    description: "What holds data encrypts it, on disk and on the way",
    violations: encryptionFaults,
  },
  {
    name: "protect-stateful",
    description: "In prod, Pulumi refuses to delete or replace what holds data",
    violations: (resource) =>
      resource.stack.startsWith("prod") && holdsData(resource) && !resource.protect
        ? ["holds data and is not protected; set protect: true"]
        : [],
  },
  {
    name: "no-plain-secret",
    description: "A secret reaches a container through a Secret, never as text in a manifest",
    violations: plainSecretFaults,
  },
];

type Fault = string | false;

const present = (faults: Fault[]): string[] => faults.filter((fault) => fault !== false);

function podRule(
  name: string,
  description: string,
  faults: (pod: NonNullable<ReturnType<typeof podOf>>) => Fault[],
): Rule {
  return {
    name,
    description,
    violations: (resource) => {
      const pod = podOf(resource);
      return pod ? present(faults(pod)).map((fault) => `its pod ${fault}`) : [];
    },
  };
}

function containerRule(
  name: string,
  description: string,
  fault: (container: Props) => Fault,
): Rule {
  return {
    name,
    description,
    violations: (resource) =>
      containersOf(podOf(resource)?.spec ?? {}).flatMap((container) =>
        present([fault(container)]).map((text) => `its container ${container.name} ${text}`),
      ),
  };
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
const podFaults = (spec: Props): Fault[] => [
  ...sharedFaults(spec),
  hostPathsOf(spec).length > 0 && "mounts a hostPath",
  spec.securityContext?.runAsNonRoot !== true && "may run as root; set runAsNonRoot: true",
  spec.securityContext?.runAsUser === 0 && "runs as root; set another runAsUser",
];

const isLogCollector = ({ app }: Props) => app === "vlagent";

/** Of a node it reads the logs, and writes nothing but its own folder. */
function logCollectorFaults(spec: Props): Fault[] {
  const mounts = containersOf(spec).flatMap(({ volumeMounts = [] }) => volumeMounts as Props[]);
  const isReadOnly = (volume: string) =>
    mounts.every(({ name, readOnly }) => name !== volume || readOnly === true);
  return [
    ...sharedFaults(spec),
    ...hostPathsOf(spec).map(({ name, hostPath: { path } }) => {
      const isLogs = /^\/var\/log\/(containers|pods)$/.test(path) && isReadOnly(name);
      const isOwn = /^\/var\/lib\/[a-z0-9-]+-logs$/.test(path);
      return !isLogs && !isOwn && `mounts ${path} of the node; leave it out, or mount it readOnly`;
    }),
  ];
}

const hostPathsOf = ({ volumes = [] }: Props): Props[] =>
  volumes.filter((volume: Props) => volume.hostPath);

const sharedFaults = (spec: Props): Fault[] => [
  ...["hostNetwork", "hostPID", "hostIPC"].map((key) => spec[key] === true && `sets ${key}`),
  !["RuntimeDefault", "Localhost"].includes(spec.securityContext?.seccompProfile?.type) &&
    "has no seccomp profile; set seccompProfile.type: RuntimeDefault",
];

function containerFaults({ name, securityContext = {} }: Props): Fault[] {
  const { capabilities = {} } = securityContext;
  const text = (fault: string) => `has the container ${name}, which ${fault}`;
  return [
    securityContext.privileged === true && text("is privileged"),
    securityContext.allowPrivilegeEscalation !== false &&
      text("may gain privileges; set allowPrivilegeEscalation: false"),
    !capabilities.drop?.includes("ALL") && text("keeps capabilities; set drop: [ALL]"),
    (capabilities.add ?? []).some((added: string) => added !== "NET_BIND_SERVICE") &&
      text("adds capabilities"),
    securityContext.runAsUser === 0 && text("runs as root"),
    securityContext.readOnlyRootFilesystem !== true &&
      text("can write its root file system; set readOnlyRootFilesystem: true"),
  ];
}

function publicBucketFaults({ type, props }: Resource): string[] {
  const faults: Record<string, () => Fault[]> = {
    "aws:s3/bucket:Bucket": () => [publicAcl(props)],
    "aws:s3/bucketAcl:BucketAcl": () => [publicAcl(props)],
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": () =>
      ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].map(
        (key) => props[key] !== true && `does not set ${key}: true`,
      ),
    "aws:s3/bucketPolicy:BucketPolicy": () =>
      statementsOf(props.policy).map(
        ({ Effect, Principal, Condition }) =>
          Effect === "Allow" &&
          !Condition &&
          ["*", '{"AWS":"*"}'].includes(
            typeof Principal === "string" ? Principal : JSON.stringify(Principal),
          ) &&
          "allows everybody; name who may",
      ),
  };
  return present(faults[type]?.() ?? []);
}

const publicAcl = ({ acl }: Props): Fault =>
  /^(public|authenticated)-read/.test(acl ?? "") && `has the ACL ${acl}; leave it out`;

/** A policy is a document or its JSON. */
function statementsOf(policy: unknown): Props[] {
  const document = (typeof policy === "string" ? JSON.parse(policy) : policy) as Props;
  return [document?.Statement ?? []].flat();
}

function encryptionFaults({ type, props }: Resource): string[] {
  const wanted: Record<string, string[]> = {
    "aws:rds/instance:Instance": ["storageEncrypted"],
    "aws:elasticache/replicationGroup:ReplicationGroup": [
      "atRestEncryptionEnabled",
      "transitEncryptionEnabled",
    ],
    "aws:ebs/volume:Volume": ["encrypted"],
    "aws:efs/fileSystem:FileSystem": ["encrypted"],
  };
  const faults = (wanted[type] ?? []).map(
    (key) => props[key] !== true && `is not encrypted; set ${key}: true`,
  );
  return present([
    ...faults,
    type === "aws:rds/parameterGroup:ParameterGroup" &&
      !forcesTls(props) &&
      "lets clients in without TLS; set rds.force_ssl to 1",
    type === "aws:eks/cluster:Cluster" &&
      !props.encryptionConfig?.resources?.includes("secrets") &&
      "keeps Secrets under no key of yours; set encryptionConfig",
    props.provisioner === "ebs.csi.aws.com" &&
      props.parameters?.encrypted !== "true" &&
      'makes plain disks; set encrypted to "true"',
    type === "cloudflare:index/zoneSetting:ZoneSetting" &&
      props.settingId === "ssl" &&
      props.value !== "strict" &&
      `sets ssl to ${props.value}; set it to strict`,
  ]);
}

const forcesTls = ({ parameters = [] }: Props): boolean =>
  parameters.some(({ name, value }: Props) => name === "rds.force_ssl" && value === "1");

function holdsData({ type, props }: Resource): boolean {
  const cloud = [
    "aws:s3/bucket:Bucket",
    "aws:efs/fileSystem:FileSystem",
    "aws:rds/instance:Instance",
    "aws:elasticache/replicationGroup:ReplicationGroup",
  ];
  const kind = kubernetesKind(type);
  return (
    cloud.includes(type) ||
    kind === "PersistentVolumeClaim" ||
    type === "kubernetes:postgresql.cnpg.io/v1:Cluster" ||
    (kind === "StatefulSet" && props.spec?.volumeClaimTemplates?.length > 0)
  );
}

const secretName = /(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|API_KEY|ACCESS_KEY(_ID)?)$/i;
/** scheme://user:password@host */
const credentialsInUrl = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i;

function plainSecretFaults(resource: Resource): string[] {
  const env = containersOf(podOf(resource)?.spec ?? {}).flatMap((container) => container.env ?? []);
  const data = kubernetesKind(resource.type) === "ConfigMap" ? (resource.props.data ?? {}) : {};
  const texts: [string, unknown][] = [
    ...env.map(({ name, value }: Props): [string, unknown] => [name, value]),
    ...Object.entries(data),
  ];
  return texts
    .filter(
      ([name, text]) => text && (secretName.test(name) || credentialsInUrl.test(String(text))),
    )
    .map(([name]) => `${name} is a secret in plain text; put it into a Secret and refer to that`);
}
