import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { measure } from "../../python";

/** When a task was due, when it was answered, and its id if it was accepted; moments in seconds. */
export type Answer = [due: number, at: number, task: string | null];
type Accepted = [due: number, at: number, task: string];

export const isAccepted = (answer: Answer): answer is Accepted => answer[2] !== null;

/** Submits so many tasks a second for so many seconds, and on until one is accepted again. */
export const load = (url: string, seconds: number, rate: number) =>
  measure<Answer[]>(join(__dirname, "load.py"), [url, String(seconds), String(rate)]);

/** Waits until tasks come in. @param count of those that are there */
export async function tasksCome(count: () => Promise<string>): Promise<void> {
  for (const before = await count(); before === (await count()); ) await pause(200);
}
