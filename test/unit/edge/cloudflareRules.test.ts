import { describe, expect, test } from "vitest";
import { zoneRules } from "../../../components/edge/cloudflareRules";
import { type CloudflarePlan, cloudflarePlans } from "../../../components/vendors";

const plans = Object.entries(cloudflarePlans) as [keyof typeof cloudflarePlans, CloudflarePlan][];

describe.each(plans)("on the plan %s", (plan, has) => {
  const phases = zoneRules({ hostname: "images.example.com", rateLimit: 60, plan });
  const rules = Object.values(phases).flat();

  test("a rate limit asks for no field and no period that the plan lacks", () => {
    const [limit] = phases.http_ratelimit ?? [];
    for (const field of limit?.expression?.toString().match(/http\.[\w.]+/g) ?? []) {
      expect(["http.request.uri.path", ...has.rateLimitFields]).toContain(field);
    }
    expect(limit?.ratelimit).toMatchObject({
      period: has.rateLimitSeconds,
      requestsPerPeriod: has.rateLimitSeconds,
      mitigationTimeout: has.rateLimitSeconds,
    });
  });

  test("no answer is kept at the edge for less than the plan allows", () => {
    const times = rules.flatMap(({ actionParameters }) => {
      const { edgeTtl } = (actionParameters ?? {}) as { edgeTtl?: { default: number } };
      return edgeTtl ? [edgeTtl.default] : [];
    });
    for (const seconds of times) expect(seconds).toBeGreaterThanOrEqual(has.minimumEdgeTtl);
  });

  test("their managed rules are executed only where they are sold", () => {
    expect(rules.some(({ action }) => action === "execute")).toBe(has.managedRuleset);
  });
});
