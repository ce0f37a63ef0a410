import { expect, test } from "vitest";
import { declareEach } from "../../golden/stacks";

const exporter = (job: string, host = "one.exporters.svc.cluster.local") => ({
  "monitoring.exporters": [{ job, host, port: 9100 }],
});

test("an exporter that is named as a part of the stack, or by no Service, is refused with the reason", async () => {
  const refused = await declareEach("prod", [exporter("api"), exporter("one", "10.0.0.7")]);
  expect(refused[0]).toMatchObject({
    refused: expect.stringContaining("there is a scrape job api already"),
  });
  expect(refused[1]).toMatchObject({
    refused: expect.stringContaining("must be a Service like"),
  });
});
