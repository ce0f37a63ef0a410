import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { partStates } from "./cluster";
import { memoryBytes } from "./cluster/cgroups";
import { findHolder } from "./cluster/node";
import { kubeconfig, statusFile } from "./paths";
import type { Phase } from "./progress";

/** What scripts read with `npm run --silent local -- status --json`. */
export interface Status {
  /** URL of the service through nginx. */
  endpoint: string;
  /** The operator's key, for `Authorization: Bearer`. */
  apiKey: string;
  /** Path of the kubeconfig file. */
  kubeconfig: string;
  namespace: string;
  /** URL of Prometheus, as this machine reaches it. */
  prometheus: string;
  /** URL of the log store, as this machine reaches it; its page is at /select/vmui. "": there is none. */
  logs: string;
  /** URL of the S3 endpoint, as this machine reaches it. */
  s3: string;
  /** Of the last `npm run local`. */
  phases: Phase[];
}

export function saveStatus(status: Status): void {
  writeFileSync(statusFile, JSON.stringify(status, null, 2), { mode: 0o600 });
}

/** The state as of now; `running` is false after `down` or a crash. */
export function readStatus(): (Status & { running: boolean; memoryBytes: number }) | undefined {
  if (!existsSync(statusFile)) return undefined;
  const saved = JSON.parse(readFileSync(statusFile, "utf8")) as Status;
  const running = Object.values(partStates()).every(Boolean);
  return { ...saved, running, memoryBytes: findHolder() ? memoryBytes() : 0 };
}

export function describeStatus(): string {
  const status = readStatus();
  if (!status) return "not set up; start it with: npm run local";
  const parts = Object.entries(partStates()).map(([name, up]) => `${up ? "up  " : "DOWN"} ${name}`);
  return [
    `${status.running ? "running" : "not running; start or mend it with: npm run local"}`,
    ...parts.map((part) => `  ${part}`),
    `memory      ${(status.memoryBytes / 1e9).toFixed(2)} GB`,
    `endpoint    ${status.endpoint}`,
    `api key     ${status.apiKey}`,
    `prometheus  ${status.prometheus}`,
    ...(status.logs ? [`logs        ${status.logs}/select/vmui`] : []),
    `s3          ${status.s3}`,
    `kubectl     export KUBECONFIG=${kubeconfig}  (namespace ${status.namespace})`,
  ].join("\n");
}
