import { PolicyPack } from "@pulumi/policy";
import { rules } from "./rules";

new PolicyPack("image-service", {
  enforcementLevel: "mandatory",
  policies: rules.map(({ name, description, violations }) => ({
    name,
    description,
    validateResource: ({ type, name, urn, props, opts }, reportViolation) => {
      // urn:pulumi:STACK::PROJECT::TYPE::NAME
      const stack = urn.split(":")[2] as string;
      for (const text of violations({ type, name, stack, props, protect: opts.protect })) {
        reportViolation(`${name} ${text}`);
      }
    },
  })),
});
