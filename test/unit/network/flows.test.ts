import { expect, test } from "vitest";
import { serverAt } from "../../../components/network/flows";

test.each([
  ["http://collector.observability.svc:4318", { namespace: "observability" }, 4318],
  ["http://collector.observability.svc.cluster.local:4318", { namespace: "observability" }, 4318],
  ["https://otlp.example.com", "anywhere", 443],
  ["http://10.0.0.7", "anywhere", 80],
  ["https://collector.svc.example.com:4318", "anywhere", 4318],
])("%s is opened where it is and nowhere else", (url, to, port) => {
  expect(serverAt(url)).toEqual({ to, ports: [port] });
});
