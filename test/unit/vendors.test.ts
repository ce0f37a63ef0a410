import { describe, expect, test } from "vitest";
import { cloudflaredMaxGraceSeconds, cloudflareManagedRuleset } from "../../components/vendors";
import { containersOf, type Props, podOf } from "../../policy/resource";
import { accepted, stacks } from "../golden/stacks";
import { plain } from "../golden/whole";

// What the golden files declare, before what vendors take.

describe.each(stacks)("the stack %s", (stack) => {
  const resources = Object.entries(accepted(stack)).map(([name, { type, inputs }]) => ({
    type,
    name,
    stack,
    props: plain(inputs) as Props,
    protect: false,
  }));
  const pods = resources.flatMap((resource) => podOf(resource) ?? []);

  test("gives cloudflared no longer to end requests than it takes, and the pod longer", () => {
    for (const { spec } of pods) {
      for (const { name, args } of containersOf(spec)) {
        if (name !== "cloudflared") continue;
        const seconds = Number.parseInt(args[args.indexOf("--grace-period") + 1], 10);
        expect(seconds).toBeLessThanOrEqual(cloudflaredMaxGraceSeconds);
        expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(seconds);
      }
    }
  });

  test("executes only rulesets that Cloudflare has", () => {
    const rules = resources
      .filter(({ type }) => type === "cloudflare:index/ruleset:Ruleset")
      .flatMap(({ props }) => props.rules as Props[]);
    for (const { action, actionParameters } of rules) {
      if (action === "execute") expect(actionParameters.id).toBe(cloudflareManagedRuleset);
    }
  });
});
