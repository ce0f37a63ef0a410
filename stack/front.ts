import type * as pulumi from "@pulumi/pulumi";
import type { Component } from "../components/component";
import { CloudflareFront } from "../components/edge/cloudflareFront";
import type { Certificate } from "../components/edge/nginxCertificate";
import type { NginxIngress, NginxIngressArgs } from "../components/edge/nginxIngress";
import { ports, serviceHost } from "../components/names";
import type { ApiArgs } from "../components/service/api";
import type { Config } from "../config";

type Behind = Pick<NginxIngressArgs, "clients" | "proxies" | "clientHeader" | "certificate">;

/** How nginx takes requests, by what stands before it. */
export function behind(config: Config): Behind {
  const { cloudflare, podNetwork, nginx, secrets } = config;
  const modes: Record<typeof cloudflare.mode, Behind> = {
    off: {
      clients: "anywhere",
      proxies: nginx.trustedProxies,
      clientHeader: "X-Forwarded-For",
      certificate: ownCertificate(config),
    },
    // The tunnel ends in pods.
    tunnel: { clients: "cluster", proxies: [podNetwork], clientHeader: "CF-Connecting-IP" },
    proxied: {
      clients: "anywhere",
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

/** Where nginx shows its certificate, if it has one. */
export function shownCertificate(config: Config): ApiArgs["certificate"] {
  if (!behind(config).certificate) return undefined;
  const { namespace, nginx } = config;
  return {
    server: { to: { app: "nginx" }, ports: [ports.nginxTls] },
    host: serviceHost("nginx-public", namespace),
    proxyProtocol: nginx.proxyProtocol,
  };
}

function ownCertificate({ nginx, endpoint }: Config): Certificate | undefined {
  const { secretName, issuer } = nginx.tls;
  if (issuer) return { issuer, hostname: new URL(endpoint).hostname };
  return secretName ? { secretName } : undefined;
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
