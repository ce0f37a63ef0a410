import { BlockList, isIPv4 } from "node:net";
import { type Rule, rule } from "./rule";

/** The name of a Service tells its pods' namespace: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#services */
const serviceName = /^[a-z0-9-]+\.[a-z0-9-]+\.svc(\.[a-z0-9.-]+)?$/;

function isWithin(networks: string[], address: string): boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [base, bits] = network.split("/") as [string, string];
    list.addSubnet(base, Number(bits));
  }
  return isIPv4(address) && list.check(address);
}

export const dnsRules: Rule[] = [
  rule(["clusterDns", "dnsNetworks"], ({ clusterDns, dnsNetworks }) => [
    !serviceName.test(clusterDns) &&
      !isWithin(dnsNetworks, clusterDns) && {
        key: "clusterDns",
        is: JSON.stringify(clusterDns),
        // Policies see the pods behind a Service's address, not the address.
        but: "network policies can only let pods reach a Service's name or an address of dnsNetworks",
        fix: "set clusterDns SERVICE.NAMESPACE.svc.cluster.local",
      },
  ]),
];
