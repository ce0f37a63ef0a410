import { isDeepStrictEqual } from "node:util";
import { keyArgument } from "../keyPath";
import { schema } from "../schema";
import type { secrets } from "../secrets";
import {
  aws,
  balanced,
  cloudflare,
  fromHub,
  gated,
  logged,
  managedStore,
  noKubeconfig,
  notGiven,
  off,
  operatedPostgres,
  operatedPrometheus,
  ownObjectStore,
  ownPictures,
  ownPostgres,
  ownPrometheus,
  ownRedis,
  postgresPod,
  proxied,
  pulling,
  pushed,
  reached,
  signed,
  told,
  toldByProxies,
  unknownModel,
  watched,
  webhooks,
} from "./conditions";
import { at, type Condition, groupOf, type Rule } from "./rule";

/** Every other secret is always needed. */
export const secretsNeeded: Partial<Record<keyof typeof secrets, Condition>> = {
  s3AccessKeyId: ownObjectStore,
  s3SecretAccessKey: ownObjectStore,
  archiveCipherPass: postgresPod,
  alertWebhook: told("webhook"),
  watchdogWebhook: watched,
  slackWebhook: told("slack"),
  pagerdutyKey: told("pagerduty"),
  smtpPassword: told("email"),
  webhookSecret: webhooks,
  c2paCertificates: signed,
  c2paKey: signed,
  hubToken: gated,
  registryPassword: pushed,
  cloudflareApiToken: cloudflare,
  originCertificate: proxied,
  originKey: proxied,
  pullCertificate: pulling,
  pullKey: pulling,
  pullCa: proxied,
};

/** Other keys that are needed only where a condition holds. */
const keysNeeded: [string, Condition][] = [
  // Else the stack would go to whichever cluster a shell happens to point to.
  ["context", noKubeconfig],
  ["build.repository", notGiven],
  ["build.username", pushed],
  ["images.cnpg", operatedPostgres],
  ["images.vlagent", logged],
  ...["to", "from", "smarthost", "username"].map((key): [string, Condition] => [
    `monitoring.email.${key}`,
    told("email"),
  ]),
  ["models.revision", unknownModel],
  ["aws.region", aws],
  ["aws.vpcId", managedStore],
  ["aws.subnetIds", managedStore],
  ["aws.clientNetworks", managedStore],
  ["cloudflare.zoneId", cloudflare],
  ["nginx.trustedProxies", toldByProxies],
];

/** Keys that say nothing unless a condition holds. */
const keysOfUse: [string, Condition][] = [
  ["postgres.operator", ownPostgres],
  ["postgres.replicas", operatedPostgres],
  ["postgres.operatorNamespace", operatedPostgres],
  ["postgres.resources", ownPostgres],
  ["postgres.storageClass", ownPostgres],
  ["redis.resources", ownRedis],
  ["redis.storage", ownRedis],
  ["redis.storageClass", ownRedis],
  ["objectStore.resources", ownObjectStore],
  ["objectStore.storage", ownObjectStore],
  ["objectStore.storageClass", ownObjectStore],
  ["monitoring.operatorNamespace", operatedPrometheus],
  ["monitoring.operatorLabels", operatedPrometheus],
  ...[
    ...["alertmanager", "receivers", "email", "watchdog", "alertmanagerResources"],
    ...["exporters", "nodeExporter", "retention", "storage", "storageClass", "resources"],
  ].map((key): [string, Condition] => [`monitoring.${key}`, ownPrometheus]),
  ["nginx.loadBalancerClass", balanced],
  ["nginx.proxyProtocol", reached],
  ["nginx.trustedProxies", off],
  ["nginx.tls", off],
  ["retention.pictures", ownPictures],
  ["models.gated", fromHub],
];

function needed([key, { reads, holds, because }]: [string, Condition]): Rule {
  return {
    reads: [groupOf(key), ...reads],
    faults(config) {
      const value = at(key, config) as string | unknown[];
      if (value.length > 0 || !holds(config)) return [];
      return [
        {
          key,
          is: "missing",
          but: because,
          fix: `set ${keyArgument([...key.split("."), ...(Array.isArray(value) ? [0] : [])])} VALUE`,
        },
      ];
    },
  };
}

const defaults = Object.fromEntries(
  keysOfUse.map(([key]) => [groupOf(key), schema.shape[groupOf(key)].parse({})]),
);

function ofUse([key, { reads, holds, because }]: [string, Condition]): Rule {
  return {
    reads,
    faults(config, given) {
      const value = at(key, given);
      if (value === undefined || holds(config)) return [];
      // Pulumi.yaml gives a group that the stack leaves out its defaults.
      if (isDeepStrictEqual(value, at(key, defaults))) return [];
      const but = `is of use only where ${because}`;
      return [{ key, is: JSON.stringify(value), but, fix: `rm --path ${key}` }];
    },
  };
}

export const keyRules: Rule[] = [...keysNeeded.map(needed), ...keysOfUse.map(ofUse)];
