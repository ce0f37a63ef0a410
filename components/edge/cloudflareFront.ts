import { isIP } from "node:net";
import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";
import { Component, type ComponentArgs } from "../component";
import type { cloudflarePlans } from "../vendors";
import { zoneRules } from "./cloudflareRules";
import { CloudflareTunnel, type CloudflareTunnelArgs } from "./cloudflareTunnel";

export interface CloudflareFrontArgs extends ComponentArgs {
  zoneId: string;
  /** Host name in the zone that clients use. */
  hostname: string;
  /** How Cloudflare reaches nginx. */
  origin: TunnelOrigin | AddressOrigin;
  /** Requests for pictures a minute from one address, in each of Cloudflare's data centres. */
  rateLimit: number;
  /** The zone's: rules that it lacks are not made. */
  plan: keyof typeof cloudflarePlans;
  /** Makes what there is once a zone: its settings and rules. Else another stack has made them. */
  zoneRules: boolean;
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

/** What stands between the Internet and nginx. */
export class CloudflareFront extends Component {
  constructor(name: string, args: CloudflareFrontArgs, opts?: pulumi.ComponentResourceOptions) {
    super("CloudflareFront", name, args, opts);
    const { zoneId, hostname, origin } = args;
    const target =
      "tunnel" in origin
        ? this.#dial(name, { ...origin.tunnel, accountId: this.#account(zoneId), hostname })
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
    if (args.zoneRules) this.#ruleZone(name, args);
    this.registerOutputs();
  }

  #dial(name: string, args: CloudflareTunnelArgs): pulumi.Output<string> {
    const tunnel = new CloudflareTunnel(`${name}-cloudflared`, args, { parent: this });
    this.flows.push(...tunnel.flows);
    this.alerts.push(...tunnel.alerts);
    this.targets.push(...tunnel.targets);
    return tunnel.target;
  }

  /** The zone's: Cloudflare routes no host of one account to another's tunnel. */
  #account(zoneId: string): pulumi.Output<string> {
    return cloudflare.getZoneOutput({ zoneId }, { parent: this }).account.id;
  }

  #ruleZone(name: string, args: CloudflareFrontArgs): void {
    const { zoneId, hostname, origin } = args;
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
    for (const [phase, rules] of Object.entries(zoneRules(args))) {
      if (rules.length === 0) continue;
      new cloudflare.Ruleset(
        `${name}-${phase.replaceAll("_", "-")}`,
        { zoneId, kind: "zone", phase, name: hostname, rules },
        this.child,
      );
    }
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
