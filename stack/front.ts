import type * as pulumi from "@pulumi/pulumi";
import { CloudflareFront } from "../components/edge/cloudflareFront";
import { cloudflareNetworks } from "../components/edge/cloudflareNetworks";
import type { NginxIngress, NginxIngressArgs } from "../components/edge/nginxIngress";
import type { Config } from "../config";

/** How nginx takes requests, by what stands before it. */
export function behind({
  cloudflare,
  podNetwork,
  secrets,
}: Config): Pick<NginxIngressArgs, "proxies" | "tls"> {
  const certificates = {
    certificate: secrets.originCertificate,
    key: secrets.originKey,
    clientCa: secrets.pullCa,
  };
  return {
    off: { proxies: [] },
    // The tunnel ends in pods.
    tunnel: { proxies: [podNetwork] },
    proxied: { proxies: cloudflareNetworks, tls: certificates },
  }[cloudflare.mode];
}

/** Cloudflare before nginx, where the configuration asks for it. */
export function makeFront(
  config: Config,
  nginx: NginxIngress,
  options: pulumi.ComponentResourceOptions,
): void {
  const { namespace, images, secrets, cloudflare, endpoint } = config;
  if (cloudflare.mode === "off") return;
  const origin =
    cloudflare.mode === "tunnel"
      ? {
          tunnel: { namespace, image: images.cloudflared, origin: nginx.url, ...cloudflare.tunnel },
        }
      : {
          address: nginx.address,
          certificate: secrets.pullCertificate,
          privateKey: secrets.pullKey,
        };
  const hostname = new URL(endpoint).hostname;
  new CloudflareFront("front", { ...cloudflare, hostname, origin }, options);
}
