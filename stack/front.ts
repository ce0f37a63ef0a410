import type * as pulumi from "@pulumi/pulumi";
import { CloudflareFront } from "../components/edge/cloudflareFront";
import type { Certificate } from "../components/edge/nginxCertificate";
import type { NginxIngress, NginxIngressArgs } from "../components/edge/nginxIngress";
import type { Config } from "../config";

type Behind = Pick<NginxIngressArgs, "proxies" | "clientHeader" | "certificate">;

/** How nginx takes requests, by what stands before it. */
export function behind(config: Config): Behind {
  const { cloudflare, podNetwork, nginx, secrets } = config;
  const modes: Record<typeof cloudflare.mode, Behind> = {
    off: {
      proxies: nginx.trustedProxies,
      clientHeader: "X-Forwarded-For",
      certificate: ownCertificate(config),
    },
    // The tunnel ends in pods.
    tunnel: { proxies: [podNetwork], clientHeader: "CF-Connecting-IP" },
    proxied: {
      proxies: [],
      clientHeader: "CF-Connecting-IP",
      certificate: {
        certificate: secrets.originCertificate,
        key: secrets.originKey,
        clientCa: secrets.pullCa,
      },
    },
  };
  return modes[cloudflare.mode];
}

function ownCertificate({ nginx, endpoint }: Config): Certificate | undefined {
  const { secretName, issuer } = nginx.tls;
  if (issuer) return { issuer, hostname: new URL(endpoint).hostname };
  return secretName ? { secretName } : undefined;
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
