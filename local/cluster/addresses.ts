/** Addresses of the local cluster; the node's network namespace holds all but `host`. */
export const addresses = {
  host: "10.250.0.1",
  node: "10.250.0.2",
  link: "10.250.0.0/24",
  pods: "10.244.0.0/24",
  services: "10.96.0.0/16",
  kubernetesService: "10.96.0.1",
  dns: "10.96.0.10",
  apiServer: "https://10.250.0.2:6443",
};

export const nodeName = "image-service";
export const clusterDomain = "cluster.local";
