import { expect, test } from "vitest";
import type { Props } from "../../../policy/resource";
import type { Declaration } from "../../golden/record";
import { accepted, declare } from "../../golden/stacks";
import { plain } from "../../golden/whole";

// examples/staging stands beside prod: the same cluster, account, registry and zone.

/** What no two resources of a kind can have there; where it isn't given, the name is random. */
const unique: Record<string, string[]> = {
  "aws:eks/podIdentityAssociation:PodIdentityAssociation": [
    "clusterName",
    "namespace",
    "serviceAccount",
  ],
  "aws:elasticache/parameterGroup:ParameterGroup": ["name"],
  "aws:elasticache/replicationGroup:ReplicationGroup": ["replicationGroupId"],
  "aws:elasticache/subnetGroup:SubnetGroup": ["name"],
  "aws:iam/role:Role": ["name"],
  "aws:iam/user:User": ["name"],
  "aws:rds/instance:Instance": ["identifier"],
  "aws:rds/parameterGroup:ParameterGroup": ["name"],
  "aws:rds/subnetGroup:SubnetGroup": ["name"],
  "aws:s3/bucket:Bucket": ["bucket"],
  "cloudflare:index/dnsRecord:DnsRecord": ["zoneId", "name"],
  "cloudflare:index/ruleset:Ruleset": ["zoneId", "phase"],
  "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": ["accountId", "name"],
  "cloudflare:index/zoneSetting:ZoneSetting": ["zoneId", "settingId"],
  "docker:index/image:Image": ["imageName"],
};

/** Kinds that stand in or on another resource of their stack. */
const within =
  /^aws:(s3\/bucket[A-Z]|iam\/(rolePolicy|userPolicy|accessKey))|Config$|^pulumi:|^image-service:/;

function claims([name, { type, inputs }]: [string, Declaration]): string[] {
  if (within.test(type)) return [];
  const props = plain(inputs) as Props;
  if (type.startsWith("kubernetes:")) {
    const { metadata = {}, spec = {} } = props;
    const ports = (spec.ports ?? []) as Props[];
    return [
      ...(metadata.name ? [`${type} ${metadata.namespace ?? ""}/${metadata.name}`] : []),
      ...ports.flatMap(({ nodePort }) => (nodePort ? `port ${nodePort} of every node` : [])),
    ];
  }
  const keys = unique[type];
  if (!keys) throw new Error(`${name}: is there anything that no two ${type} can have?`);
  const values = keys.map((key) => props[key]);
  return values.includes(undefined) ? [] : [`${type} ${values.join(" ")}`];
}

const claimsOf = (stack: Record<string, Declaration>) => Object.entries(stack).flatMap(claims);

test("staging takes nothing that prod has", async () => {
  const prod = claimsOf(accepted("prod"));
  const staging = claimsOf(await declare("staging"));
  expect(staging.filter((claim) => prod.includes(claim))).toEqual([]);
  // The kinds that would be taken twice if staging were prod.
  const kinds = new Set(staging.map((claim) => claim.split(" ")[0]?.split(":").at(-1)));
  expect([...kinds]).toEqual(
    expect.arrayContaining([
      "Namespace",
      "Service",
      "Deployment",
      "StatefulSet",
      "DnsRecord",
      "ZeroTrustTunnelCloudflared",
      "Image",
    ]),
  );
});
