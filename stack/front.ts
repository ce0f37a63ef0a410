import type * as pulumi from "@pulumi/pulumi";
import type { Component } from "../components/component";
import { CloudflareFront } from "../components/edge/cloudflareFront";
import { cloudflareNetworks } from "../components/edge/cloudflareNetworks";
import type { NginxIngress, NginxIngressArgs } from "../components/edge/nginxIngress";
import type { Config } from "../config";

/** How nginx takes requests, by what stands before it. */
export function behind({
  cloudflare,
  podNetwork,
  secrets,
}: Config): Pick<NginxIngressArgs, "clients" | "proxies" | "tls"> {
  const certificates = {
    certificate: secrets.originCertificate,
    key: secrets.originKey,
    clientCa: secrets.pullCa,
  };
  return {
    off: { clients: "anywhere" as const, proxies: [] },
    // The tunnel ends in pods.
    tunnel: { clients: "cluster" as const, proxies: [podNetwork] },
    proxied: { clients: "cluster" as const, proxies: cloudflareNetworks, tls: certificates },
  }[cloudflare.mode];
}

/** @returns Cloudflare before nginx, where the configuration asks for it */
export function makeFront(
  config: Config,
  nginx: NginxIngress,
  options: pulumi.ComponentResourceOptions,
): Component[] {
  const { namespace, images, secrets, cloudflare, endpoint } = config;
  if (cloudflare.mode === "off") return [];
  const origin =
    cloudflare.mode === "tunnel"
      ? {
          tunnel: { namespace, image: images.cloudflared, origin: nginx, ...cloudflare.tunnel },
        }
      : {
          address: nginx.address,
          certificate: secrets.pullCertificate,
          privateKey: secrets.pullKey,
        };
  const hostname = new URL(endpoint).hostname;
  return [new CloudflareFront("front", { ...cloudflare, hostname, origin }, options)];
}
