import { expect, test } from "vitest";
import { describe, type Event, inOrder } from "../../../local/logs";
import type { Props } from "../../../policy/resource";
import { accepted } from "../../golden/stacks";
import { plain } from "../../golden/whole";

const said = (pod: string, message: string, seconds: string): Event => ({
  _time: `2026-11-26T14:00:${seconds}Z`,
  _msg: message,
  _stream: "{}",
  "kubernetes.pod_name": pod,
  level: "INFO",
  task_id: "t",
});
const access: Event = {
  _time: "2026-11-26T14:00:03Z",
  _msg: "missing _msg field; see https://docs.victoriametrics.com/",
  "kubernetes.pod_name": "nginx-7f",
  status: "200",
  seconds: "3.210",
  upstream: "10.0.0.7:8000",
};

test("a request's path is shown from the edge inwards, in the order of time", () => {
  const events = [
    said("aigc-workers-5c", "task left", "03.1"),
    access,
    said("aigc-workers-5c", "task started", "01.5"),
    said("api-6d", "task accepted", "01.0"),
  ];
  expect(inOrder(events).map(describe)).toEqual([
    '2026-11-26T14:00:03Z nginx-7f {"status":"200","seconds":"3.210","upstream":"10.0.0.7:8000"}',
    '2026-11-26T14:00:01.0Z api-6d task accepted {"level":"INFO","task_id":"t"}',
    '2026-11-26T14:00:01.5Z aigc-workers-5c task started {"level":"INFO","task_id":"t"}',
    '2026-11-26T14:00:03.1Z aigc-workers-5c task left {"level":"INFO","task_id":"t"}',
  ]);
});

test("nginx's access log has the fields that a request is found and ordered by, and no query", () => {
  const conf = (plain(accepted("prod")["nginx-config"]?.inputs) as Props).data["nginx.conf"];
  const format = /log_format json[^;]*/.exec(conf)?.[0] ?? "";
  for (const field of ["time", "request_id", "task_id", "seconds", "upstream"]) {
    expect(format).toContain(`"${field}":`);
  }
  expect(format).not.toMatch(/\$(request|request_uri|args|query_string|http_authorization)\b/);
});
