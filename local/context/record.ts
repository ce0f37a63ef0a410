import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../errors";
import { state } from "../paths";

/** What this machine knows of its stack on a context; `status --context NAME --json` prints it. */
export interface ContextRecord {
  context: string;
  /** Its cluster: the uid of namespace kube-system. */
  clusterId: string;
  namespace: string;
  /** URL of the service while `forward` runs. */
  endpoint: string;
  /** Command that brings the service to this machine. */
  forward: string;
  /** kubectl with what leads to the stack. */
  kubectl: string;
  /** The operator's key, for `Authorization: Bearer`. */
  apiKey: string;
}

/**
 * The Pulumi stack of a context: another one once its cluster was made anew, since what the old one
 * knows of is gone. The context's name may hold what a stack's may not.
 */
export function stackName({ context, clusterId }: Pick<ContextRecord, "context" | "clusterId">) {
  return `context-${plain(context)}-${hash(`${context} ${clusterId}`)}`;
}

const plain = (context: string) => context.replace(/[^\w.-]/g, "-").slice(0, 60);
const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 8);
const file = (context: string) =>
  join(state, "contexts", `${plain(context)}-${hash(context)}.json`);

export function saveRecord(record: ContextRecord): void {
  mkdirSync(dirname(file(record.context)), { recursive: true });
  writeFileSync(file(record.context), JSON.stringify(record, null, 2), { mode: 0o600 });
}

export const findRecord = (context: string): ContextRecord | undefined =>
  existsSync(file(context)) ? JSON.parse(readFileSync(file(context), "utf8")) : undefined;

export function readRecord(context: string): ContextRecord {
  const record = findRecord(context);
  if (record) return record;
  throw new UserError(
    `this machine has no stack on context ${context}`,
    `make one: npm run local -- --context ${context}`,
  );
}

export const removeRecord = (context: string) => rmSync(file(context));
