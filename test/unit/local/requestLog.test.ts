import { expect, test } from "vitest";
import { linesOf } from "../../../local/requestLog";
import type { Props } from "../../../policy/resource";
import { accepted } from "../../golden/stacks";
import { plain } from "../../golden/whole";

const nginx = (id: string) =>
  `[pod/nginx-7f/nginx] {"time":"2026-11-26T14:00:03+00:00","request_id":"${id}","path":"/api/generate","status":200,"seconds":3.210,"upstream":"10.0.0.7:8000"}`;
const service = (pod: string, message: string, time: string, id: string) =>
  `[pod/${pod}/main] {"level": "INFO", "message": "${message}", "task_id": "t", "request_id": "${id}", "time": "2026-11-26T14:00:${time}+00:00"}`;

test("a request's path is shown from the edge inwards, in the order of time", () => {
  const output = [
    "[pod/nginx-7f/nginx] 2026/11/26 14:00:00 [warn] no JSON",
    nginx("wanted"),
    nginx("another"),
    service("aigc-workers-5c", "task left", "03.100000", "wanted"),
    service("aigc-workers-5c", "task started", "01.500000", "wanted"),
    service("aigc-workers-5c", "task started", "01.600000", "another"),
    service("api-6d", "task accepted", "01.000000", "wanted"),
    '[pod/api-6d/main] {"cut off',
    "",
  ].join("\n");
  const lines = linesOf("wanted", output);
  expect(lines.map((line) => line.split(" ")[1])).toEqual([
    "nginx-7f",
    "api-6d",
    "aigc-workers-5c",
    "aigc-workers-5c",
  ]);
  expect(lines[1]).toBe(
    '2026-11-26T14:00:01.000000+00:00 api-6d {"level":"INFO","message":"task accepted","task_id":"t"}',
  );
  expect(linesOf("unknown", output)).toEqual([]);
});

test("nginx's access log has the fields that a request is found and ordered by, and no query", () => {
  const conf = (plain(accepted("prod")["nginx-config"]?.inputs) as Props).data["nginx.conf"];
  const format = /log_format json[^;]*/.exec(conf)?.[0] ?? "";
  for (const field of ["time", "request_id", "task_id", "seconds", "upstream"]) {
    expect(format).toContain(`"${field}":`);
  }
  expect(format).not.toMatch(/\$(request|request_uri|args|query_string|http_authorization)\b/);
});
