import { at, groupOf, type Rule, rule, type Values } from "./rule";

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

export const podRules: Rule[] = ["api", "workers", "nginx", "cloudflare.tunnel"].map(drainable);
