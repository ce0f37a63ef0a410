import { connectionRules } from "./connections";
import { dnsRules } from "./dns";
import { edgeRules } from "./edge";
import { identityRules } from "./identity";
import { loadBalancerRules } from "./loadBalancer";
import { modelRules } from "./models";
import { keyRules } from "./needed";
import { podRules } from "./pods";
import type { Rule } from "./rule";
import { scalingRules } from "./scaling";
import { storeRules } from "./stores";

export const rules: Rule[] = [
  ...dnsRules,
  ...podRules,
  ...keyRules,
  ...storeRules,
  ...connectionRules,
  ...identityRules,
  ...modelRules,
  ...scalingRules,
  ...edgeRules,
  ...loadBalancerRules,
];
