import { existsSync } from "node:fs";
import { UserError } from "./errors";
import type { Report } from "./progress";
import { attempt, run } from "./run";

/** Debian packages whose programs the node and the image builds call. */
const packages = [
  "buildah", // builds the images
  "catatonit", // first process of the node, and of every pod's sandbox
  "conntrack", // kube-proxy
  "containernetworking-plugins", // the pods' network
  "curl", // readiness of the node's parts
  "debootstrap", // base file systems of the images
  "iproute2",
  "ipset", // kube-router
  "iptables", // portmap plugin, kube-router
  "nftables", // kube-proxy
  "openssl", // the cluster's certificates
  "procps", // sysctl
  "runc",
  "socat", // kubectl port-forward
];

/** Installs what is missing. */
export async function ensurePackages(report: Report): Promise<void> {
  if (!existsSync("/usr/bin/apt-get")) {
    throw new UserError(
      "no apt-get on this machine",
      `use Debian or Ubuntu, or install by hand: ${packages.join(", ")}`,
    );
  }
  const query = await attempt("dpkg-query", [
    "-W",
    "-f",
    "${Package} ${db:Status-Status}\n",
    ...packages,
  ]);
  const installed = new Set(
    query.stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  const missing = packages.filter((name) => !installed.has(name));
  if (missing.length === 0) return;
  report("installing");
  await run("apt-get", ["update", "-q"], { quietSeconds: 120 });
  await run("apt-get", ["install", "-qy", "--no-install-recommends", ...missing], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
    log: "packages",
    quietSeconds: 180,
  });
}
