import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import * as kubernetes from "@pulumi/kubernetes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubeconfig } from "../../local/paths";
import { Engine, provider } from "./harness";

let engine: Engine;
let line: Awaited<ReturnType<typeof breakableLine>>;
beforeAll(async () => {
  engine = await Engine.start("connection");
  line = await breakableLine();
});
afterAll(async () => {
  await engine.stop();
  line.close();
});

const program = (changed: string) => async () => {
  const options = { provider: provider({ kubeconfig: line.kubeconfig }) };
  const { metadata } = new kubernetes.core.v1.Namespace("connection-test", {}, options);
  const labels = { app: "slow" };
  new kubernetes.apps.v1.Deployment(
    "slow",
    {
      metadata: { namespace: metadata.name },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, annotations: { changed } },
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [
              {
                name: "main",
                image: engine.image("redis"),
                command: ["redis-server"],
                readinessProbe: { exec: { command: ["true"] }, initialDelaySeconds: 6 },
              },
            ],
          },
        },
      },
    },
    options,
  );
};

test("an API server that can't be reached for a while is waited for", async () => {
  let wasCut = false;
  const run = await engine.attempt("up", program("no"), {
    onOutput: (text) => {
      if (wasCut || !text.includes("new pods available")) return;
      wasCut = true;
      line.cut();
      setTimeout(line.mend, 3_000);
    },
  });
  expect(run.error).toBeUndefined();
  expect(run.messages.join("\n")).toMatch(/the Kubernetes API at \S+ can't be reached/);
});

test("without the API server a preview goes on and says so, and an update fails", async () => {
  line.cut();
  const preview = await engine.attempt("preview", program("yes"));
  const update = await engine.attempt("up", program("yes"));
  line.mend();
  expect(preview.error).toBeUndefined();
  expect(preview.messages.join("\n")).toMatch(/can't be reached \(.+\)\. Check that the cluster/);
  expect(update.error).toMatch(/can't be reached/);
});

/** The cluster behind a connection that can be cut. */
async function breakableLine() {
  const config = JSON.parse(readFileSync(kubeconfig, "utf8"));
  const { cluster } = config.clusters[0];
  const target = new URL(cluster.server);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) return client.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    join(client, upstream);
    join(upstream, client);
  }).listen(0, "127.0.0.1");
  function join(from: Socket, to: Socket) {
    sockets.add(from);
    from.pipe(to);
    from
      .on("error", () => {})
      .on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
  }
  await once(server, "listening");
  cluster.server = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    kubeconfig: JSON.stringify(config),
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    close: () => server.close(),
  };
}
