/** One Go module under this folder and the programs that are built from it. */
export interface Module {
  name: string;
  /** Program name → Go package. */
  programs: Record<string, string>;
  tags?: string[];
  /** `-X` values of the linker, as the project's own release builds set them. */
  variables?: Record<string, string>;
  /** Seconds a build took on two cores, for the progress line. */
  expectedSeconds: number;
  /** Programs on the PATH are used instead of a build when their version output matches. */
  accepts: { args: string[]; version: RegExp };
}

const kubernetesVersion = "k8s.io/component-base/version";

export const modules = [
  {
    name: "pulumi",
    programs: { pulumi: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
    variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.230.0" },
    expectedSeconds: 130,
    accepts: { args: ["version"], version: /^v3\.(2[3-9]\d|[3-9]\d\d)\./m },
  },
  {
    name: "pulumi-language-nodejs",
    programs: {
      "pulumi-language-nodejs": "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    },
    expectedSeconds: 20,
    accepts: { args: ["-version"], version: /^v?3\./m },
  },
  {
    name: "kubernetes",
    programs: {
      "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
      "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
      "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
      "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
      kubectl: "k8s.io/kubernetes/cmd/kubectl",
      kubelet: "k8s.io/kubernetes/cmd/kubelet",
    },
    variables: {
      [`${kubernetesVersion}.gitVersion`]: "v1.37.2",
      [`${kubernetesVersion}.gitMajor`]: "1",
      [`${kubernetesVersion}.gitMinor`]: "37",
    },
    expectedSeconds: 390,
    accepts: { args: ["--version"], version: /v1\.37\./ },
  },
  {
    name: "containerd",
    programs: {
      containerd: "github.com/containerd/containerd/v2/cmd/containerd",
      "containerd-shim-runc-v2": "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
      ctr: "github.com/containerd/containerd/v2/cmd/ctr",
    },
    tags: ["no_btrfs", "no_zfs", "no_devmapper", "no_aufs"],
    expectedSeconds: 60,
    accepts: { args: ["--version"], version: /v?2\.\d+\.\d+/ },
  },
  {
    name: "etcd",
    programs: { etcd: "go.etcd.io/etcd/server/v3" },
    expectedSeconds: 25,
    accepts: { args: ["--version"], version: /etcd Version: 3\.6\./ },
  },
  {
    name: "coredns",
    programs: { coredns: "github.com/coredns/coredns" },
    expectedSeconds: 95,
    accepts: { args: ["-version"], version: /CoreDNS-1\.14\./ },
  },
  {
    name: "local-path-provisioner",
    programs: { "local-path-provisioner": "github.com/rancher/local-path-provisioner" },
    expectedSeconds: 30,
    accepts: { args: ["--version"], version: /v0\.0\.3\d/ },
  },
  {
    // Of the fork that is in Go's checksum database.
    name: "kube-router",
    programs: { "kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router" },
    variables: { "github.com/cloudnativelabs/kube-router/v2/pkg/version.Version": "v2.2.1" },
    expectedSeconds: 100,
    accepts: { args: ["--version"], version: /version v2\.\d/ },
  },
  {
    name: "versitygw",
    programs: { versitygw: "github.com/versity/versitygw/cmd/versitygw" },
    expectedSeconds: 50,
    accepts: { args: ["--version"], version: /1\.8\./ },
  },
] as const satisfies Module[];

/** What only the tests need. */
export const testModules = [
  {
    name: "kubeconform",
    programs: { kubeconform: "github.com/yannh/kubeconform/cmd/kubeconform" },
    expectedSeconds: 20,
    accepts: { args: ["-v"], version: /v0\.8\./ },
  },
  {
    name: "actionlint",
    programs: { actionlint: "github.com/rhysd/actionlint/cmd/actionlint" },
    expectedSeconds: 20,
    accepts: { args: ["-version"], version: /^v?1\.7\./m },
  },
] as const satisfies Module[];

type KeysOfEach<Union> = Union extends unknown ? keyof Union : never;
export type Program = KeysOfEach<(typeof modules | typeof testModules)[number]["programs"]>;
