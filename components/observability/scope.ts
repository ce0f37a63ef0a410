import { Identifier, LabelMatchers, parser, VectorSelector } from "@prometheus-io/lezer-promql";

/** A query of one of the stacks alone whose metrics a Prometheus has, by the label that tells them apart. */
export function scoped(query: string, namespace: string): string {
  const own = `namespace="${namespace}"`;
  const edits: { at: number; insert: string }[] = [];
  parser.parse(query).iterate({
    enter: ({ type, node }) => {
      if (type.id !== VectorSelector) return;
      const [name, others] = [node.getChild(Identifier), node.getChild(LabelMatchers)];
      if (others) edits.push({ at: others.from + 1, insert: `${own},` });
      else if (name) edits.push({ at: name.to, insert: `{${own}}` });
    },
  });
  // From the end, as what is written in moves what follows.
  return edits.reduceRight(
    (text, { at, insert }) => text.slice(0, at) + insert + text.slice(at),
    query,
  );
}
