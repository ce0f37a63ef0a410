import { isIP } from "node:net";
import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import { cloudflareManagedRuleset } from "../vendors";
import { CloudflareTunnel, type CloudflareTunnelArgs } from "./cloudflareTunnel";

export interface CloudflareFrontArgs extends ComponentArgs {
  accountId: string;
  zoneId: string;
  /** Host name in the zone that clients use. */
  hostname: string;
  /** How Cloudflare reaches nginx. */
  origin: TunnelOrigin | AddressOrigin;
  /** Requests for pictures a minute from one address, in each of Cloudflare's data centres. */
  rateLimit: number;
}

/** By a tunnel that the cluster dials: nothing of it is public. */
export interface TunnelOrigin {
  tunnel: Omit<CloudflareTunnelArgs, "accountId" | "hostname" | "transform">;
}

/** At a public address, which takes no client without this certificate (Authenticated Origin Pulls). */
export interface AddressOrigin {
  /** Host name, IPv4 or IPv6 address of nginx's load balancer. */
  address: pulumi.Input<string>;
  /** PEM of the certificate that Cloudflare shows, signed by the CA that nginx trusts. */
  certificate: pulumi.Input<string>;
  privateKey: pulumi.Input<string>;
}

/**
 * What stands between the Internet and nginx. A zone has one ruleset a phase: the zone is this
 * stack's own.
 */
export class CloudflareFront extends Component {
  constructor(name: string, args: CloudflareFrontArgs, opts?: pulumi.ComponentResourceOptions) {
    super("CloudflareFront", name, args, opts);
    const { zoneId, hostname, accountId, origin } = args;
    const target =
      "tunnel" in origin
        ? new CloudflareTunnel(
            `${name}-cloudflared`,
            { ...origin.tunnel, accountId, hostname },
            { parent: this },
          ).target
        : pulumi.output(origin.address);
    new cloudflare.DnsRecord(
      `${name}-record`,
      {
        zoneId,
        name: hostname,
        type: target.apply(recordType),
        content: target,
        proxied: true,
        ttl: 1, // "automatic", the one value that a proxied record takes
      },
      this.child,
    );
    if (!("tunnel" in origin)) this.#authenticate(name, zoneId, origin);

    const settings = {
      ssl: "strict",
      min_tls_version: "1.2",
      always_use_https: "on",
    };
    for (const [settingId, value] of Object.entries(settings)) {
      new cloudflare.ZoneSetting(
        `${name}-${settingId.replaceAll("_", "-")}`,
        { zoneId, settingId, value },
        this.child,
      );
    }
    for (const [phase, rules] of Object.entries(phases(hostname, args.rateLimit))) {
      new cloudflare.Ruleset(
        `${name}-${phase.replaceAll("_", "-")}`,
        { zoneId, kind: "zone", phase, name: hostname, rules },
        this.child,
      );
    }
    this.registerOutputs();
  }

  /** The whole zone, since a certificate by host name is of the Enterprise plan. */
  #authenticate(name: string, zoneId: string, { certificate, privateKey }: AddressOrigin): void {
    const shown = new cloudflare.AuthenticatedOriginPullsCertificate(
      `${name}-client-certificate`,
      { zoneId, certificate, privateKey },
      this.child,
    );
    new cloudflare.AuthenticatedOriginPullsSettings(
      `${name}-origin-pulls`,
      { zoneId, enabled: true },
      { ...this.child, dependsOn: shown },
    );
  }
}

function recordType(target: string): string {
  const types: Record<number, string> = { 4: "A", 6: "AAAA" };
  return types[isIP(target)] ?? "CNAME";
}

/** The rules by the phase of a request in which Cloudflare asks them. */
function phases(
  hostname: string,
  rateLimit: number,
): Record<string, cloudflare.types.input.RulesetRule[]> {
  const here = `http.host eq "${hostname}"`;
  return {
    http_request_firewall_managed: [
      {
        ref: "managed",
        description: "Known attacks",
        expression: here,
        action: "execute",
        actionParameters: { id: cloudflareManagedRuleset },
      },
    ],
    http_ratelimit: [
      {
        ref: "generate",
        // Coarse, to spare the service a flood; the exact limit is the api's.
        description: "Requests for pictures from one address",
        expression: `${here} and http.request.method eq "POST" and http.request.uri.path in {"/api/generate" "/v1/images/generations"}`,
        action: "block",
        ratelimit: {
          characteristics: ["cf.colo.id", "ip.src"],
          period: 60,
          requestsPerPeriod: rateLimit,
          mitigationTimeout: 60,
        },
      },
    ],
    http_request_cache_settings: [
      {
        ref: "answers",
        description: "What depends on the client's key is in no shared cache",
        expression: `${here} and (starts_with(http.request.uri.path, "/api/") or starts_with(http.request.uri.path, "/v1/"))`,
        action: "set_cache_settings",
        actionParameters: { cache: false },
      },
      {
        ref: "playground",
        description: "The page is the same for everybody",
        expression: `${here} and http.request.uri.path eq "/"`,
        action: "set_cache_settings",
        actionParameters: {
          cache: true,
          edgeTtl: { mode: "override_origin", default: 300 },
          browserTtl: { mode: "respect_origin" },
        },
      },
    ],
  };
}
