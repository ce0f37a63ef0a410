/**
 * A metric's name with the labels that are asked for, among all else that is written in PromQL. What
 * comes first is skipped: strings, ranges, lists of labels, and words of the language.
 */
const selectors =
  /"[^"]*"|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\b(?:and|or|unless|offset|bool)\b|\b([a-zA-Z_:][\w:]*)\b(?!\s*(?:\(|by\b|without\b))(?:\{([^}]*)\})?/g;

/** A query of one of the stacks alone whose metrics a Prometheus has, by the label that tells them apart. */
export const scoped = (query: string, namespace: string): string =>
  query.replace(selectors, (whole, name?: string, labels?: string) =>
    name
      ? `${name}{${[`namespace="${namespace}"`, ...(labels ? [labels] : [])].join(",")}}`
      : whole,
  );
