import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import { ready, type Verdict, waiting } from "./verdict";

/** Ready when its readiness probes pass, or when it has done its work. */
export function judgePod({ status }: V1Pod): Verdict {
  const isReady = status?.conditions?.some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
  if (isReady || status?.phase === "Succeeded") return ready;
  return waiting(`waiting for the pod: ${status?.phase ?? "not seen yet"}`);
}

/** What keeps a pod from getting ready, in the words of the scheduler and the kubelet. */
export function podProblems(pod: V1Pod): string[] {
  const name = pod.metadata?.name;
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False")
    return [`pod ${name}: [${scheduled.reason}] ${scheduled.message}`];
  return containerStatuses(pod)
    .filter((container) => !container.ready)
    .flatMap((container) => containerProblems(container))
    .map((problem) => `pod ${name}: ${problem}`);
}

/** The containers that ended in failure, and whether it is their run before that did. */
export function failedContainers(pod: V1Pod): { container: string; previous: boolean }[] {
  return containerStatuses(pod)
    .filter(({ state, lastState }) => (state?.terminated ?? lastState?.terminated)?.exitCode)
    .map(({ name, state }) => ({ container: name, previous: !state?.terminated }));
}

function containerStatuses({ status }: V1Pod): V1ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function containerProblems({ name, state, lastState }: V1ContainerStatus): string[] {
  const problems: string[] = [];
  const { waiting, terminated } = state ?? {};
  if (waiting && !["ContainerCreating", "PodInitializing"].includes(waiting.reason ?? "")) {
    problems.push(`container ${name}: [${waiting.reason}] ${waiting.message ?? ""}`.trim());
  }
  const ended = terminated ?? lastState?.terminated;
  if (ended?.exitCode) {
    problems.push(
      `container ${name} ended with exit code ${ended.exitCode} (${ended.reason})` +
        (ended.message ? `: ${ended.message.trim()}` : ""),
    );
  }
  return problems;
}
