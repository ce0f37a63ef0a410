import { addresses, clusterDomain } from "./addresses";

const namespace = "kube-system";
export const storageClass = "local-path";

/** What every cluster has besides its control plane: DNS and a storage class that binds volumes. */
export function renderAddons(image: string): object[] {
  return [...renderDns(image), ...renderStorage(image)];
}

function renderDns(image: string): object[] {
  const name = "coredns";
  const labels = { "k8s-app": "kube-dns" };
  const Corefile = `.:53 {
    errors
    health
    ready
    kubernetes ${clusterDomain} in-addr.arpa {
        pods insecure
        ttl 5
    }
    cache 5
    reload
    loadbalance
}
`;
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    ...clusterRole(name, [
      {
        apiGroups: [""],
        resources: ["endpoints", "services", "pods", "namespaces"],
        verbs: ["list", "watch"],
      },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ]),
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data: { Corefile } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns", namespace, labels },
      spec: {
        clusterIP: addresses.dns,
        selector: labels,
        ports: ["UDP", "TCP"].map((protocol) => ({
          name: `dns-${protocol.toLowerCase()}`,
          port: 53,
          protocol,
        })),
      },
    },
    deployment(name, labels, {
      serviceAccountName: name,
      containers: [
        {
          name,
          image,
          command: ["coredns", "-conf", "/etc/coredns/Corefile"],
          readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 2 },
          volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
        },
      ],
      volumes: [{ name: "config", configMap: { name } }],
    }),
  ];
}

function renderStorage(image: string): object[] {
  const name = "local-path-provisioner";
  const config = "local-path-config";
  const helperPod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "helper-pod" },
    spec: { containers: [{ name: "helper-pod", image, imagePullPolicy: "IfNotPresent" }] },
  };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    ...clusterRole(name, [
      {
        apiGroups: [""],
        resources: ["nodes", "persistentvolumeclaims", "configmaps", "pods", "pods/log"],
        verbs: ["get", "list", "watch"],
      },
      {
        apiGroups: [""],
        resources: ["persistentvolumes", "pods"],
        verbs: ["get", "list", "watch", "create", "patch", "update", "delete"],
      },
      { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] },
      {
        apiGroups: ["storage.k8s.io"],
        resources: ["storageclasses"],
        verbs: ["get", "list", "watch"],
      },
    ]),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: config, namespace },
      data: {
        "config.json": JSON.stringify({
          nodePathMap: [{ node: "DEFAULT_PATH_FOR_NON_LISTED_NODES", paths: ["/var/lib/volumes"] }],
        }),
        setup: '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n',
        teardown: '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n',
        "helperPod.yaml": JSON.stringify(helperPod),
      },
    },
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: storageClass,
        annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
      },
      provisioner: "rancher.io/local-path",
      volumeBindingMode: "WaitForFirstConsumer",
      reclaimPolicy: "Delete",
      // A volume is a directory, which no size limits: the claim grows, and nothing has to be done.
      allowVolumeExpansion: true,
    },
    deployment(
      name,
      { app: name },
      {
        serviceAccountName: name,
        containers: [
          {
            name,
            image,
            command: [
              ...[name, "start", "--config=/etc/config/config.json"],
              ...[`--helper-image=${image}`, `--service-account-name=${name}`],
            ],
            env: [
              {
                name: "POD_NAMESPACE",
                valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } },
              },
              { name: "CONFIG_MOUNT_PATH", value: "/etc/config/" },
            ],
            volumeMounts: [{ name: "config", mountPath: "/etc/config/" }],
          },
        ],
        volumes: [{ name: "config", configMap: { name: config } }],
      },
    ),
  ];
}

function clusterRole(name: string, rules: object[]): object[] {
  return [
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name }, rules },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
  ];
}

function deployment(name: string, labels: Record<string, string>, spec: object): object {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { priorityClassName: "system-cluster-critical", ...spec },
      },
    },
  };
}
