import type * as cloudflare from "@pulumi/cloudflare";
import { type CloudflarePlan, cloudflareManagedRuleset, cloudflarePlans } from "../vendors";

export interface ZoneRulesArgs {
  /** Host name that clients use. */
  hostname: string;
  /** Requests for pictures a minute from one address. */
  rateLimit: number;
  /** The zone's. */
  plan: keyof typeof cloudflarePlans;
}

type Rule = cloudflare.types.input.RulesetRule;

/** The rules that the plan has, by the phase of a request in which Cloudflare asks them. */
export function zoneRules({ hostname, rateLimit, ...args }: ZoneRulesArgs): Record<string, Rule[]> {
  const plan: CloudflarePlan = cloudflarePlans[args.plan];
  const here = `http.host eq "${hostname}"`;
  const managed: Rule = {
    ref: "managed",
    description: "Known attacks",
    expression: here,
    action: "execute",
    actionParameters: { id: cloudflareManagedRuleset },
  };
  const answers: Rule = {
    ref: "answers",
    description: "What depends on the client's key is in no shared cache",
    expression: `${here} and (starts_with(http.request.uri.path, "/api/") or starts_with(http.request.uri.path, "/v1/"))`,
    action: "set_cache_settings",
    actionParameters: { cache: false },
  };
  const playground: Rule = {
    ref: "playground",
    description: "The page is the same for everybody",
    expression: `${here} and http.request.uri.path eq "/"`,
    action: "set_cache_settings",
    actionParameters: {
      cache: true,
      edgeTtl: { mode: "override_origin", default: playgroundSeconds },
      browserTtl: { mode: "respect_origin" },
    },
  };
  return {
    http_request_firewall_managed: plan.managedRuleset ? [managed] : [],
    http_ratelimit: [limit(hostname, rateLimit, plan)],
    http_request_cache_settings: [
      answers,
      ...(plan.minimumEdgeTtl <= playgroundSeconds ? [playground] : []),
    ],
  };
}

/** So long, at most, is an old page shown after an update. */
const playgroundSeconds = 300;

/** Coarse, to spare the service a flood; the exact limit is the api's. */
function limit(hostname: string, rateLimit: number, plan: CloudflarePlan): Rule {
  const conditions = {
    "http.host": `http.host eq "${hostname}"`,
    "http.request.method": 'http.request.method eq "POST"',
  };
  const period = plan.rateLimitSeconds;
  return {
    ref: "generate",
    description: "Requests for pictures from one address",
    expression: [
      ...plan.rateLimitFields.map((field) => conditions[field]),
      'http.request.uri.path in {"/api/generate" "/v1/images/generations"}',
    ].join(" and "),
    action: "block",
    ratelimit: {
      characteristics: ["cf.colo.id", "ip.src"],
      period,
      requestsPerPeriod: Math.floor((rateLimit * period) / 60),
      mitigationTimeout: period,
    },
  };
}
