import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { UserError } from "./errors";
import { interrupt } from "./run";

/** An event as the log store gives it: all fields are texts. */
export type Event = Record<string, string> & { _time: string; _msg?: string };

/** Shows what the stack's pods say as they say it, from a minute ago, until it is interrupted. */
export async function followLogs(store: string): Promise<void> {
  // https://docs.victoriametrics.com/victorialogs/querying/#live-tailing
  const answer = await ask(store, "tail", { query: "*", start_offset: "1m", offset: "2s" });
  interrupt.signal.addEventListener("abort", () => answer.destroy());
  for await (const line of createInterface(answer)) console.log(describe(JSON.parse(line)));
}

/**
 * Shows what was said of a request or a task, in the order of time.
 * @throws UserError where the log store has nothing of it
 */
export async function showLogs(store: string, id: string): Promise<void> {
  const events = await eventsOf(store, id);
  if (events.length === 0) {
    throw new UserError(
      `no log has the request or task ${id}`,
      "take the X-Request-ID of an answer or the id of a task; a log is there after some seconds",
    );
  }
  console.log(events.map(describe).join("\n"));
}

/** What was said of a request or a task, in the order of time. */
export async function eventsOf(store: string, id: string): Promise<Event[]> {
  const query = ["request_id", "task_id"].map((field) => `${field}:=${JSON.stringify(id)}`);
  const answer = await ask(store, "query", { query: query.join(" or ") });
  const events: Event[] = [];
  for await (const line of createInterface(answer)) events.push(JSON.parse(line));
  return inOrder(events);
}

/** https://docs.victoriametrics.com/victorialogs/querying/#http-api */
async function ask(
  store: string,
  what: "query" | "tail",
  args: Record<string, string>,
): Promise<IncomingMessage> {
  // Not by fetch, which gives up where nothing is said for five minutes.
  const request = get(`${store}/select/logsql/${what}?${new URLSearchParams(args)}`);
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  if (answer.statusCode === 200) return answer;
  throw new Error(`the log store answers ${answer.statusCode} to ${what}`);
}

export const inOrder = (events: Event[]): Event[] =>
  events
    .map((event) => ({ event, at: begun(event) }))
    .sort((a, b) => a.at - b.at)
    .map(({ event }) => event);

/** nginx tells of a request when it has answered: what it took, `seconds`, is before that. */
const begun = ({ _time, seconds, upstream }: Event): number =>
  Date.parse(_time) - (upstream === undefined ? 0 : Number(seconds) * 1_000);

/** One line: when, who, what, and the other fields but those of Kubernetes and the store. */
export function describe({ _time, _msg = "", ...fields }: Event): string {
  const rest = Object.entries(fields).filter(([name]) => !/^(_|kubernetes\.)/.test(name));
  const more = rest.length > 0 ? [JSON.stringify(Object.fromEntries(rest))] : [];
  // What says no message, such as nginx' access log, the store gives one that says so.
  const message = _msg.startsWith("missing _msg field") || !_msg ? [] : [_msg];
  return [_time, fields["kubernetes.pod_name"], ...message, ...more].join(" ");
}
