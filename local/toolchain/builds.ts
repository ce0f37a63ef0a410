/** What one `go build` makes: programs that are needed at the same time and share most code. */
export interface Build {
  name: string;
  /** Folder of its go.mod under this one. */
  module:
    | "."
    | "cloudflared"
    | "cloudnative-pg"
    | "keda"
    | "pulumi-language-nodejs"
    | "vegeta"
    | "victorialogs";
  /** Go package → the names its binary is called by. */
  programs: Record<string, readonly string[]>;
  tags?: readonly string[];
  /** Folder of a Go module that is kept beside the programs: what they are installed by. */
  keeps?: { module: string; folder: string };
  /** `-X` values of the linker, as the projects' own release builds set them. */
  variables?: Record<string, string>;
  /** Releases that hold all of its programs; nothing is compiled where they can be downloaded. */
  releases?: readonly string[];
  /** Seconds of processor time; it keeps two cores busy. */
  cpuSeconds: number;
  /** On the PATH these programs are used instead when the first one's output matches. */
  accepts?: { args: readonly string[]; version: RegExp };
}

const kubernetesVersion = "k8s.io/component-base/version";

/**
 * In the order in which a set-up needs them. All but two lie in one dependency set: what two share
 * is compiled once.
 */
export const builds = [
  {
    name: "runtime",
    module: ".",
    programs: {
      "github.com/containerd/containerd/v2/cmd/containerd": ["containerd"],
      "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2": [
        "containerd-shim-runc-v2",
      ],
      "github.com/containerd/containerd/v2/cmd/ctr": ["ctr"],
      "go.etcd.io/etcd/server/v3": ["etcd"],
      "github.com/versity/versitygw/cmd/versitygw": ["versitygw"],
    },
    tags: ["no_btrfs", "no_zfs", "no_devmapper", "no_aufs"],
    releases: ["containerd", "etcd", "versitygw"],
    cpuSeconds: 170,
  },
  {
    name: "kubernetes",
    module: ".",
    programs: {
      "./cmd/coredns": ["coredns"],
      "./cmd/kubernetes": [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubectl",
        "kubelet",
      ],
    },
    variables: {
      [`${kubernetesVersion}.gitVersion`]: "v1.37.2",
      [`${kubernetesVersion}.gitMajor`]: "1",
      [`${kubernetesVersion}.gitMinor`]: "37",
    },
    releases: ["kubernetes", "coredns"],
    cpuSeconds: 580,
  },
  {
    // Of the fork that is in Go's checksum database; it has no release of binaries.
    name: "network",
    module: ".",
    programs: { "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router": ["kube-router"] },
    variables: { "github.com/cloudnativelabs/kube-router/v2/pkg/version.Version": "v2.2.1" },
    cpuSeconds: 30,
  },
  {
    // Apart, since it spells a path in upper case that the others import in lower case. Released as
    // an image alone.
    name: "storage",
    module: ".",
    programs: { "github.com/rancher/local-path-provisioner": ["local-path-provisioner"] },
    cpuSeconds: 5,
  },
  {
    name: "pulumi",
    module: ".",
    programs: { "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi": ["pulumi"] },
    variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.230.0" },
    releases: ["pulumi"],
    cpuSeconds: 120,
    accepts: { args: ["version"], version: /^v3\.(2[3-9]\d|[3-9]\d\d)\./m },
  },
  {
    // The last release of the SDK that has the language host in its own module.
    name: "pulumi-language-nodejs",
    module: "pulumi-language-nodejs",
    programs: {
      "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs": [
        "pulumi-language-nodejs",
      ],
    },
    releases: ["pulumi"],
    cpuSeconds: 10,
    accepts: { args: ["-version"], version: /^v?3\./m },
  },
  {
    // Apart, since it has newer versions of what the others share.
    name: "logs",
    module: "victorialogs",
    programs: {
      "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs": ["victoria-logs"],
      "github.com/VictoriaMetrics/VictoriaLogs/app/vlagent": ["vlagent"],
    },
    cpuSeconds: 40,
  },
] as const satisfies Build[];

/**
 * What only `npm run local -- --autoscale` needs, and the test of it. Apart, since KEDA's Kubernetes
 * modules are a release behind: one set for both would be neither's own.
 */
export const autoscaleBuilds = [
  {
    name: "keda",
    module: "keda",
    programs: {
      "github.com/kedacore/keda/v2/cmd/operator": ["keda"],
      "github.com/kedacore/keda/v2/cmd/adapter": ["keda-adapter"],
    },
    keeps: { module: "github.com/kedacore/keda/v2", folder: "config" },
    variables: { "github.com/kedacore/keda/v2/version.Version": "2.21.0" },
    cpuSeconds: 640,
  },
] as const satisfies Build[];

/** What only `npm run test:failover` needs, and the benchmark of it. */
export const failoverBuilds = [
  {
    name: "cloudnative-pg",
    module: "cloudnative-pg",
    programs: { "github.com/cloudnative-pg/cloudnative-pg/cmd/manager": ["cloudnative-pg"] },
    keeps: { module: "github.com/cloudnative-pg/cloudnative-pg", folder: "config" },
    variables: { "github.com/cloudnative-pg/cloudnative-pg/pkg/versions.buildVersion": "1.28.0" },
    cpuSeconds: 150,
  },
] as const satisfies Build[];

/** What only the tests need. */
export const testBuilds = [
  {
    name: "test-tools",
    module: ".",
    programs: {
      "github.com/rhysd/actionlint/cmd/actionlint": ["actionlint"],
      "github.com/yannh/kubeconform/cmd/kubeconform": ["kubeconform"],
    },
    cpuSeconds: 6,
  },
  {
    // On upstream's quic-go, since its own go.mod's fork isn't in Go's checksum database.
    name: "cloudflared",
    module: "cloudflared",
    programs: { "github.com/cloudflare/cloudflared/cmd/cloudflared": ["cloudflared"] },
    variables: { "main.Version": "2026.8.2" },
    cpuSeconds: 85,
  },
] as const satisfies Build[];

/** What only `npm run bench -- load` needs. */
export const benchBuilds = [
  {
    name: "vegeta",
    module: "vegeta",
    programs: { "./attack": ["attack"] },
    cpuSeconds: 20,
  },
] as const satisfies Build[];

type ValuesOfEach<Union> = Union extends unknown ? Union[keyof Union] : never;
export type Program = ValuesOfEach<
  (
    | typeof builds
    | typeof autoscaleBuilds
    | typeof failoverBuilds
    | typeof testBuilds
    | typeof benchBuilds
  )[number]["programs"]
>[number] &
  string;
