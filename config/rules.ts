import type { z } from "zod";
import { cloudflarePlans, cloudflareWaitSeconds, ecrHost } from "../components/vendors";
import { type images, knownModels, type schema, type secrets } from "./schema";

type Values = z.infer<typeof schema>;
type Given = Record<string, unknown>;

/** Something wrong with the configuration. */
export interface Fault {
  key: string;
  /** Its value, or that it is missing. */
  is: string;
  /** What is wrong with that. */
  but?: string;
  /** Arguments of `pulumi config` that mend it. */
  fix: string;
}

/** What no key tells alone. It is asked when the groups that it reads are right in themselves. */
export interface Rule {
  reads: (keyof Values)[];
  /** `given` is what the stack file says, without defaults. */
  faults(config: Values, given: Given): Fault[];
}

/** What decides whether something is needed. */
export interface Condition {
  reads: (keyof Values)[];
  holds(config: Values): boolean;
  /** As a part of a sentence. */
  because: string;
}

const condition = <Key extends keyof Values>(
  reads: Key[],
  because: string,
  holds: (config: Pick<Values, Key>) => boolean,
): Condition => ({ reads, because, holds });

const alerting = condition(
  ["monitoring"],
  "monitoring.alertmanager is true",
  ({ monitoring }) => monitoring.alertmanager,
);
const told = (receiver: Values["monitoring"]["receivers"][number]) =>
  condition(
    ["monitoring"],
    `monitoring.receivers has ${receiver}`,
    ({ monitoring }) => monitoring.alertmanager && monitoring.receivers.includes(receiver),
  );
const noKubeconfig = condition(
  ["kubeconfig"],
  "kubeconfig is not set",
  ({ kubeconfig }) => !kubeconfig,
);
const pushed = condition(
  ["build"],
  "build.repository is set",
  ({ build }) => !!build.repository && !ecrHost.test(build.server),
);
const notBuilt = condition(
  ["build"],
  "build.repository is not set",
  ({ build }) => !build.repository,
);
const mode = (mode: Values["cloudflare"]["mode"]) =>
  condition(
    ["cloudflare"],
    `cloudflare.mode is ${mode}`,
    ({ cloudflare }) => cloudflare.mode === mode,
  );
const identity = condition(
  ["aws"],
  "aws.oidcProviderArn is set",
  ({ aws }) => !!aws.oidcProviderArn,
);
const [tunnel, proxied] = [mode("tunnel"), mode("proxied")];
const pulling = condition(
  ["cloudflare"],
  "cloudflare.mode is proxied and cloudflare.zoneRules is true",
  (config) => proxied.holds(config as Values) && config.cloudflare.zoneRules,
);
const cloudflare = condition(
  ["cloudflare"],
  "cloudflare.mode is not off",
  ({ cloudflare }) => cloudflare.mode !== "off",
);
const ownPostgres = condition(
  ["postgres"],
  "postgres.managed is false",
  ({ postgres }) => !postgres.managed,
);
const ownRedis = condition(["redis"], "redis.managed is false", ({ redis }) => !redis.managed);
const managedStore = condition(
  ["postgres", "redis"],
  "postgres.managed or redis.managed is true",
  ({ postgres, redis }) => postgres.managed || redis.managed,
);
const ownObjectStore = condition(
  ["objectStore", "backups"],
  "objectStore.bucket is not set or backups.managed is false",
  ({ objectStore, backups }) => !objectStore.bucket || !backups.managed,
);
const unknownModel = condition(
  ["workers"],
  "only the files of the default model are known",
  ({ workers }) => !Object.values(knownModels).includes(workers.model),
);
const aws = condition(
  ["postgres", "redis", "objectStore", "backups"],
  "a managed store, objectStore.bucket or backups.managed is on AWS",
  (config) =>
    managedStore.holds(config as Values) || !!config.objectStore.bucket || config.backups.managed,
);

/** Every other image is always needed. */
const imagesNeeded: Partial<Record<keyof typeof images, Condition>> = {
  api: notBuilt,
  worker: notBuilt,
  redis: ownRedis,
  postgres: ownPostgres,
  alertmanager: alerting,
  cloudflared: tunnel,
  objectStore: ownObjectStore,
};

/** Every other secret is always needed. */
export const secretsNeeded: Partial<Record<keyof typeof secrets, Condition>> = {
  alertWebhook: told("webhook"),
  slackWebhook: told("slack"),
  pagerdutyKey: told("pagerduty"),
  smtpPassword: told("email"),
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
  ...Object.entries(imagesNeeded).map(([name, needed]): [string, Condition] => [
    `images.${name}`,
    needed,
  ]),
  // Else the stack would go to whichever cluster a shell happens to point to.
  ["context", noKubeconfig],
  ["build.username", pushed],
  ...["to", "from", "smarthost", "username"].map((key): [string, Condition] => [
    `monitoring.email.${key}`,
    told("email"),
  ]),
  ["models.revision", unknownModel],
  ["aws.region", aws],
  ["aws.oidcIssuer", identity],
  ["aws.vpcId", managedStore],
  ["aws.subnetIds", managedStore],
  ["aws.clientNetworks", managedStore],
  ["cloudflare.accountId", cloudflare],
  ["cloudflare.zoneId", cloudflare],
];

/** Keys that say nothing unless a condition holds. */
const keysOfUse: [string, Condition][] = [
  ["postgres.resources", ownPostgres],
  ["redis.resources", ownRedis],
  ["redis.storage", ownRedis],
  ["redis.storageClass", ownRedis],
  ["postgres.storageClass", ownPostgres],
  ["objectStore.resources", ownObjectStore],
  ["objectStore.storage", ownObjectStore],
  ["objectStore.storageClass", ownObjectStore],
];

const at = (path: string, values: object) =>
  path.split(".").reduce<unknown>((inner, key) => (inner as Given | undefined)?.[key], values);
const groupOf = (path: string) => path.split(".")[0] as keyof Values;

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
          fix: `set --path ${key}${Array.isArray(value) ? "[0]" : ""} VALUE`,
        },
      ];
    },
  };
}

function ofUse([key, { reads, holds, because }]: [string, Condition]): Rule {
  return {
    reads,
    faults(config, given) {
      const value = at(key, given);
      if (value === undefined || holds(config)) return [];
      const but = `is of use only where ${because}`;
      return [{ key, is: JSON.stringify(value), but, fix: `rm --path ${key}` }];
    },
  };
}

function rule<Key extends keyof Values>(
  reads: Key[],
  faults: (config: Pick<Values, Key>) => (Fault | false)[],
): Rule {
  return { reads, faults: (config) => faults(config).filter((fault) => fault !== false) };
}

/** `replicas` and `minAvailable` of the pods at a path. */
function drainable(path: string): Rule {
  return rule([groupOf(path)], (config) => {
    const { replicas, minAvailable } = at(path, config) as Values["api"];
    return [
      minAvailable >= replicas && {
        key: `${path}.minAvailable`,
        is: String(minAvailable),
        but: `must be below ${path}.replicas, ${replicas}, or no node can be drained`,
        fix: `set --path ${path}.minAvailable ${replicas - 1}`,
      },
    ];
  });
}

export const rules: Rule[] = [
  ...["api", "workers", "nginx", "cloudflare.tunnel"].map(drainable),
  ...keysNeeded.map(needed),
  ...keysOfUse.map(ofUse),
  rule(["aws", "postgres", "redis"], (config) => [
    managedStore.holds(config as Values) &&
      config.aws.subnetIds.length === 1 && {
        key: "aws.subnetIds",
        is: JSON.stringify(config.aws.subnetIds),
        but: "must be two or more, in different zones, for a standby",
        fix: "set --path 'aws.subnetIds[1]' VALUE",
      },
  ]),
  rule(["postgres"], ({ postgres: { managed, storage } }) => [
    managed &&
      !/^([2-9]\d|\d{3,})Gi$/.test(storage) && {
        key: "postgres.storage",
        is: JSON.stringify(storage),
        but: "must be whole Gi from 20Gi on, as RDS sells them",
        fix: "set --path postgres.storage 20Gi",
      },
  ]),
  rule(["workers", "models"], ({ workers: { model }, models: { revision } }) => [
    model === knownModels.tiny &&
      revision !== "" && {
        key: "models.revision",
        is: JSON.stringify(revision),
        but: `means nothing for workers.model ${model}`,
        fix: "rm --path models.revision",
      },
  ]),
  rule(["backups"], ({ backups: { managed, lockDays, keepDays } }) => [
    managed &&
      keepDays < lockDays && {
        key: "backups.keepDays",
        is: String(keepDays),
        but: `must not be below backups.lockDays, ${lockDays}, before which nothing can be deleted`,
        fix: `set --path backups.keepDays ${lockDays}`,
      },
  ]),
  rule(["nginx"], ({ nginx: { serviceType, nodePort } }) => [
    nodePort > 0 &&
      (serviceType !== "NodePort" || nodePort < 30000) && {
        key: "nginx.nodePort",
        is: String(nodePort),
        but: "must be 30000-32767 and stand beside nginx.serviceType NodePort",
        fix: "rm --path nginx.nodePort",
      },
  ]),
  rule(["cloudflare", "nginx"], (config) => {
    const { serviceType } = config.nginx;
    const wanted = { off: serviceType, tunnel: "ClusterIP", proxied: "LoadBalancer" };
    const fitting = wanted[config.cloudflare.mode];
    return [
      serviceType !== fitting && {
        key: "nginx.serviceType",
        is: JSON.stringify(serviceType),
        but: `must be ${fitting} where cloudflare.mode is ${config.cloudflare.mode}`,
        fix: `set --path nginx.serviceType ${fitting}`,
      },
    ];
  }),
  rule(["cloudflare", "api"], (config) => [
    cloudflare.holds(config as Values) &&
      config.api.maxWaitSeconds > cloudflareWaitSeconds && {
        key: "api.maxWaitSeconds",
        is: String(config.api.maxWaitSeconds),
        but: `must not be above ${cloudflareWaitSeconds} behind Cloudflare, which gives up soon after`,
        fix: `set --path api.maxWaitSeconds ${cloudflareWaitSeconds}`,
      },
  ]),
  rule(["cloudflare"], ({ cloudflare: { mode, zoneRules, plan, rateLimit } }) => {
    const { rateLimitSeconds } = cloudflarePlans[plan];
    const least = 60 / rateLimitSeconds;
    return [
      mode !== "off" &&
        zoneRules &&
        rateLimit < least && {
          key: "cloudflare.rateLimit",
          is: String(rateLimit),
          but: `must be ${least} or more on the plan ${plan}, which counts over ${rateLimitSeconds} s`,
          fix: `set --path cloudflare.rateLimit ${least}`,
        },
    ];
  }),
  rule(["cloudflare", "endpoint"], (config) => [
    cloudflare.holds(config as Values) &&
      !config.endpoint.startsWith("https://") && {
        key: "endpoint",
        is: JSON.stringify(config.endpoint),
        but: "must begin with https:// behind Cloudflare",
        fix: "set endpoint https://HOST",
      },
  ]),
];
