import { afterAll, expect, test } from "vitest";
import type { Props } from "../../policy/resource";
import { accepted } from "../golden/stacks";
import { GoldenPod } from "./pod";

// prod's connectors and their routes, put before cloudflared.

/** https://github.com/cloudflare/cloudflared/blob/2026.8.2/connection/connection.go, TunnelToken */
const token = {
  a: "0123456789abcdef0123456789abcdef",
  s: Buffer.alloc(32).toString("base64"),
  t: "01234567-89ab-cdef-0123-456789abcdef",
};
const connectors = new GoldenPod("prod", "front-cloudflared-connectors", {
  programs: ["cloudflared"],
  env: {
    TUNNEL_TOKEN: Buffer.from(JSON.stringify(token)).toString("base64"),
    // Else it gives up when it finds no way to Cloudflare.
    TUNNEL_EDGE: "127.0.0.1:7844",
  },
});
const routes = accepted("prod")["front-cloudflared-routes"] as { inputs: Props };

afterAll(() => connectors.close());

test("cloudflared takes every argument, and answers its probes before it is connected", async () => {
  const { status, output } = await connectors.start(503);
  expect(status, output).toBe(0);
});

/**
 * Its file calls `ingress` what Pulumi calls `ingresses`; JSON is YAML. It is read twice, which a
 * pipe is not, and the pod has no volume.
 */
const ingress = (...command: string[]) =>
  connectors.command([
    ...["bash", "--norc", "-euc"],
    `file=$(mktemp --tmpdir=/dev/shm)
    trap 'rm "$file"' EXIT
    echo "$0" >"$file"
    cloudflared tunnel --config "$file" ingress "$@"`,
    JSON.stringify({ ingress: routes.inputs.config.ingresses }),
    ...command,
  ]);

test("cloudflared takes the tunnel's routes", async () => {
  const { status, output } = await ingress("validate");
  expect(status, output).toBe(0);
  expect(output).toMatch(/OK$/m);
});

test("the endpoint's requests go to nginx, and no others", async () => {
  const { output } = await ingress("rule", "https://images.example.com/api/generate");
  expect(output).toContain("service: http://nginx.image-service.svc.cluster.local");
  expect((await ingress("rule", "https://other.example.com/")).output).toContain("http_status:404");
});
