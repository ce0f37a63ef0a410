import { spawn } from "node:child_process";
import { once } from "node:events";
import { UserError } from "./errors";
import { interrupt, run } from "./run";

/** What a request passes, from the edge inwards. */
const apps = ["nginx", "api", "aigc-worker"];

/** As many pods as a namespace of one machine has; kubectl follows five by default. */
const mostPods = 100;

/**
 * `kubectl logs` of all that requests pass; each line begins with `[pod/POD/CONTAINER] `.
 * @param which lines, as options of kubectl
 */
const logsOf = (cluster: readonly string[], ...which: string[]): string[] => [
  ...[...cluster, "logs", `--selector=app in (${apps.join(", ")})`],
  ...[
    "--all-containers",
    "--ignore-errors",
    "--prefix",
    `--max-log-requests=${mostPods}`,
    ...which,
  ],
];

/** Shows what the pods say as they say it, until it is interrupted. */
export async function followLogs(kubectl: string, cluster: readonly string[]): Promise<void> {
  const child = spawn(kubectl, logsOf(cluster, "--follow", "--tail=20"), { stdio: "inherit" });
  interrupt.signal.addEventListener("abort", () => child.kill());
  await once(child, "close");
}

/**
 * Shows what nginx, api and workers said of one request, in the order of time.
 * @throws UserError where none of the pods' logs, which Kubernetes rotates, has it
 */
export async function showRequest(
  kubectl: string,
  cluster: readonly string[],
  requestId: string,
): Promise<void> {
  const lines = linesOf(requestId, await run(kubectl, logsOf(cluster, "--tail=-1")));
  if (lines.length === 0) {
    throw new UserError(
      `no pod's log has the request ${requestId}`,
      "take the X-Request-ID of an answer; a pod's log goes with the pod",
    );
  }
  console.log(lines.join("\n"));
}

/** @param output of `kubectl logs --prefix`, where what is no JSON object is of no request */
export function linesOf(requestId: string, output: string): string[] {
  const said = output.split("\n").flatMap((line) => {
    const [, pod, json] = /^\[pod\/([^/]+)\/[^\]]+\] (\{.*\})$/.exec(line) ?? [];
    if (pod === undefined || json === undefined) return [];
    const event = parsed(json);
    if (event?.request_id !== requestId) return [];
    const { time, request_id: _, ...rest } = event;
    return [{ at: begun(event), text: `${time} ${pod} ${JSON.stringify(rest)}` }];
  });
  return said.sort((a, b) => a.at - b.at).map(({ text }) => text);
}

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** nginx tells of a request when it has answered: what it took, `seconds`, is before that. */
const begun = ({ time, seconds, upstream }: Record<string, unknown>): number =>
  Date.parse(String(time)) - (upstream === undefined ? 0 : Number(seconds) * 1_000);
