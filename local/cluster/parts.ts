import { imageTag } from "../images";
import type { Program } from "../toolchain/builds";
import { addresses, clusterDomain, nodeName } from "./addresses";
import { frontProxy } from "./certificates";
import { cgroupRoot } from "./cgroups";

/** Paths as the node sees them. */
const pki = "/var/lib/kubernetes/pki";
const config = "/var/lib/kubernetes/config";
const containerdSocket = "/run/containerd/containerd.sock";

/** A program of the node: how it is started and when it is ready. */
export interface Part {
  name: Program;
  args: string[];
  /** Configuration files, by their path inside the node. */
  files?: Record<string, string>;
  /** Parts that have to be ready before it starts. */
  needs?: readonly Program[];
  /** A shell line that succeeds inside the node once the part is ready. */
  ready: string;
}

export function renderParts(): Part[] {
  return [
    {
      name: "etcd",
      args: [
        "--data-dir=/var/lib/etcd",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync", // a reset away from new; survives the end of the process
        "--log-level=warn",
      ],
      ready: httpReady("http://127.0.0.1:2379/health"),
    },
    {
      name: "containerd",
      args: [`--config=${config}/containerd.toml`, "--log-level=warn"],
      files: { [`${config}/containerd.toml`]: renderContainerdConfig(), ...renderCni() },
      ready: `test -S ${containerdSocket}`,
    },
    {
      name: "kube-apiserver",
      needs: ["etcd"],
      args: [
        "--etcd-servers=http://127.0.0.1:2379",
        `--advertise-address=${addresses.node}`,
        "--secure-port=6443",
        `--service-cluster-ip-range=${addresses.services}`,
        `--tls-cert-file=${pki}/apiserver.crt`,
        `--tls-private-key-file=${pki}/apiserver.key`,
        `--client-ca-file=${pki}/ca.crt`,
        `--kubelet-client-certificate=${pki}/apiserver-kubelet-client.crt`,
        `--kubelet-client-key=${pki}/apiserver-kubelet-client.key`,
        "--kubelet-preferred-address-types=InternalIP",
        // For APIs that others serve, such as KEDA's of metrics.
        `--requestheader-client-ca-file=${pki}/${frontProxy.authority}.crt`,
        `--requestheader-allowed-names=${frontProxy.client}`,
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        `--proxy-client-cert-file=${pki}/${frontProxy.client}.crt`,
        `--proxy-client-key-file=${pki}/${frontProxy.client}.key`,
        `--service-account-issuer=https://kubernetes.default.svc.${clusterDomain}`,
        `--service-account-key-file=${pki}/service-account.pub`,
        `--service-account-signing-key-file=${pki}/service-account.key`,
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
      ],
      ready: httpReady(`${addresses.apiServer}/readyz`),
    },
    {
      name: "kube-controller-manager",
      needs: ["kube-apiserver"],
      args: [
        `--kubeconfig=${pki}/controller-manager.kubeconfig`,
        "--use-service-account-credentials=true",
        `--service-account-private-key-file=${pki}/service-account.key`,
        `--root-ca-file=${pki}/ca.crt`,
        `--cluster-signing-cert-file=${pki}/ca.crt`,
        `--cluster-signing-key-file=${pki}/ca.key`,
        "--leader-elect=false",
        "--profiling=false",
      ],
      ready: httpReady("https://127.0.0.1:10257/healthz"),
    },
    {
      name: "kube-scheduler",
      needs: ["kube-apiserver"],
      args: [
        `--kubeconfig=${pki}/scheduler.kubeconfig`,
        "--leader-elect=false",
        "--profiling=false",
      ],
      ready: httpReady("https://127.0.0.1:10259/healthz"),
    },
    {
      name: "kubelet",
      needs: ["containerd", "kube-apiserver"],
      args: [
        `--kubeconfig=${pki}/kubelet.kubeconfig`,
        `--config=${config}/kubelet.json`,
        `--hostname-override=${nodeName}`,
        `--node-ip=${addresses.node}`,
      ],
      files: {
        [`${config}/kubelet.json`]: JSON.stringify(kubeletConfiguration, null, 2),
        [`${config}/resolv.conf`]: `nameserver ${addresses.node}\n`,
      },
      // Registered, too: kube-router ends when it doesn't find its node.
      ready:
        `${kubeletHealthy}; curl --silent --insecure --fail --output /dev/null ` +
        `--cert ${pki}/kubelet.crt --key ${pki}/kubelet.key ` +
        `${addresses.apiServer}/api/v1/nodes/${nodeName}`,
    },
    {
      name: "kube-proxy",
      needs: ["kube-apiserver"],
      args: [`--config=${config}/kube-proxy.json`, `--hostname-override=${nodeName}`],
      files: { [`${config}/kube-proxy.json`]: JSON.stringify(kubeProxyConfiguration, null, 2) },
      ready: httpReady("http://127.0.0.1:10256/healthz"),
    },
    {
      // Enforces NetworkPolicies; routes and Services are others' work.
      name: "kube-router",
      needs: ["kubelet"],
      args: [
        ...["--run-firewall=true", "--run-router=false", "--run-service-proxy=false"],
        `--kubeconfig=${pki}/router.kubeconfig`,
        `--hostname-override=${nodeName}`,
        `--service-cluster-ip-range=${addresses.services}`,
        "--health-port=20244",
      ],
      ready: httpReady("http://127.0.0.1:20244/healthz"),
    },
  ];
}

/** Any answer but a refusal or a 5xx counts: /readyz needs no more than an anonymous client. */
const httpReady = (url: string) =>
  `curl --silent --show-error --insecure --fail --output /dev/null --max-time 2 ${url}`;

export const kubeletHealthy = httpReady("http://127.0.0.1:10248/healthz");

const kubeletConfiguration = {
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: `${pki}/ca.crt` },
  },
  authorization: { mode: "Webhook" },
  cgroupDriver: "cgroupfs",
  cgroupRoot,
  clusterDNS: [addresses.dns],
  clusterDomain,
  containerRuntimeEndpoint: `unix://${containerdSocket}`,
  failCgroupV1: false,
  failSwapOn: false,
  // Images are loaded. One that was pulled under another name as well would have to be pulled again.
  imagePullCredentialsVerificationPolicy: "NeverVerify",
  oomScoreAdj: 0, // a container's root may not lower it
  resolvConf: `${config}/resolv.conf`,
  // Images are loaded, never pulled, so none may be collected when the disk fills.
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "1Gi",
    "imagefs.available": "1Gi",
  },
  maxPods: 110,
};

const kubeProxyConfiguration = {
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  clientConnection: { kubeconfig: `${pki}/proxy.kubeconfig` },
  clusterCIDR: addresses.pods,
  mode: "nftables",
  // These sysctls belong to the host.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
};

function renderContainerdConfig(): string {
  return `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri"]

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "${imageTag("pause")}"

[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["/usr/lib/cni"]
conf_dir = "/var/lib/cni/net.d"
`;
}

function renderCni(): Record<string, string> {
  const configuration = {
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: addresses.pods }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
  return { "/var/lib/cni/net.d/10-pods.conflist": JSON.stringify(configuration, null, 2) };
}
