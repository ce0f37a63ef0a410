/** How far an object is from ready. */
export type Verdict =
  | { state: "ready" }
  | { state: "waiting"; reason: string }
  /** It never will be. */
  | { state: "failed"; reason: string };

export const ready: Verdict = { state: "ready" };

export function waiting(reason: string): Verdict {
  return { state: "waiting", reason };
}

export function failed(reason: string): Verdict {
  return { state: "failed", reason };
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/** `[Reason] message` of a condition. */
export function explain({ reason, message }: Condition): string {
  return [reason && `[${reason}]`, message].filter(Boolean).join(" ");
}
