import type { V1Job } from "@kubernetes/client-node";
import { type Condition, explain, failed, ready, type Verdict, waiting } from "./verdict";

/** Ready when it has completed. */
export function judgeJob({ status = {} }: V1Job): Verdict {
  const find = (type: string): Condition | undefined =>
    status.conditions?.find((condition) => condition.type === type && condition.status === "True");
  const failure = find("Failed");
  if (failure) return failed(`the Job failed: ${explain(failure)}`);
  if (find("Complete")) return ready;
  const { active = 0, succeeded = 0, failed: failures = 0 } = status;
  return waiting(
    `waiting for the Job: ${active} active, ${succeeded} succeeded, ${failures} failed pods`,
  );
}
