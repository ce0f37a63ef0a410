import { describe, expect, test } from "vitest";
import { type AddressOrigin, CloudflareFront } from "../../../components/edge/cloudflareFront";
import { cloudflareWaitSeconds } from "../../../components/vendors";
import { declared } from "../declared";

const common = {
  zoneId: "zone",
  hostname: "images.example.com",
  rateLimit: 60,
  plan: "business" as const,
  zoneRules: true,
};
const resources = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "256Mi" } };

describe("by a tunnel", async () => {
  const { inputs } = await declared(
    () =>
      new CloudflareFront("front", {
        ...common,
        origin: {
          tunnel: {
            namespace: "image-service",
            image: `registry.example/cloudflared@sha256:${"0".repeat(64)}`,
            replicas: 2,
            minAvailable: 0,
            origin: { app: "nginx", url: "http://nginx" },
            resources,
          },
        },
      }),
  );

  test("Cloudflare reaches nginx through the tunnel, and nothing else", () => {
    expect(inputs["front-cloudflared-routes"]?.config).toEqual({
      ingresses: [
        { hostname: "images.example.com", service: "http://nginx" },
        { service: "http_status:404" },
      ],
    });
    expect(inputs["front-record"]).toMatchObject({
      type: "CNAME",
      content: "front-cloudflared-tunnel-id.cfargotunnel.com",
      proxied: true,
    });
  });

  test("the tunnel's ends let every open request end, within what cloudflared takes", () => {
    const grace = /"--grace-period","(\d+)s"/.exec(
      JSON.stringify(inputs["front-cloudflared-connectors"]),
    );
    expect(Number(grace?.[1])).toBeGreaterThan(cloudflareWaitSeconds);
    expect(Number(grace?.[1])).toBeLessThanOrEqual(180);
  });

  test("the tunnel's ends hold the token in a Secret and pass Pod Security", () => {
    const { spec } = inputs["front-cloudflared-connectors"] as {
      spec: { replicas: number; template: { spec: Record<string, never> } };
    };
    expect(spec.replicas).toBe(2);
    expect(spec.template.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          env: [{ name: "TUNNEL_TOKEN", valueFrom: { secretKeyRef: { key: "token" } } }],
          securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
        },
      ],
    });
    expect(JSON.stringify(spec)).not.toContain("the token");
  });

  test("TLS is strict to the origin and not older than 1.2 to clients", () => {
    expect(inputs["front-ssl"]).toMatchObject({ settingId: "ssl", value: "strict" });
    expect(inputs["front-min-tls-version"]).toMatchObject({ value: "1.2" });
    expect(inputs["front-always-use-https"]).toMatchObject({ value: "on" });
  });

  test("there is one ruleset a phase, each of the zone, each rule with a ref", () => {
    const rulesets = Object.values(inputs).filter(({ kind }) => kind === "zone");
    expect(rulesets.map(({ phase }) => phase).sort()).toEqual([
      "http_ratelimit",
      "http_request_cache_settings",
      "http_request_firewall_managed",
    ]);
    for (const { rules } of rulesets) {
      for (const { ref } of rules as { ref?: string }[]) expect(ref).toBeTruthy();
    }
  });

  test("one address is held to the rate limit on both ways of asking for a picture", () => {
    expect(inputs["front-http-ratelimit"]?.rules).toMatchObject([
      {
        action: "block",
        expression: expect.stringMatching(/"\/api\/generate" "\/v1\/images\/generations"/),
        ratelimit: { period: 60, requestsPerPeriod: 60 },
      },
    ]);
  });

  test("no answer that depends on a key is cached", () => {
    expect(inputs["front-http-request-cache-settings"]?.rules).toMatchObject([
      { actionParameters: { cache: false }, expression: expect.stringContaining('"/api/"') },
      { actionParameters: { cache: true }, expression: expect.stringMatching(/path eq "\/"$/) },
    ]);
  });
});

describe("at an address", () => {
  const front = async (address: string) => {
    const origin: AddressOrigin = { address, certificate: "PEM", privateKey: "PEM" };
    const { inputs } = await declared(() => new CloudflareFront("front", { ...common, origin }));
    return inputs;
  };

  test("Cloudflare shows its certificate to the origin, and no tunnel is made", async () => {
    const inputs = await front("lb.example.com");
    expect(inputs["front-origin-pulls"]).toMatchObject({ zoneId: "zone", enabled: true });
    expect(inputs["front-client-certificate"]).toMatchObject({ certificate: "PEM" });
    expect(Object.keys(inputs).filter((name) => name.includes("cloudflared"))).toEqual([]);
  });

  test.each([
    ["lb.example.com", "CNAME"],
    ["203.0.113.7", "A"],
    ["2001:db8::7", "AAAA"],
  ])("%s is a record of type %s", async (address, type) => {
    const inputs = await front(address);
    expect(inputs["front-record"]).toMatchObject({ content: address, type, proxied: true });
  });
});

test("a second stack in a zone makes no rules, settings or certificates of the whole zone", async () => {
  const origin: AddressOrigin = {
    address: "lb.example.com",
    certificate: "PEM",
    privateKey: "PEM",
  };
  const { inputs } = await declared(
    () => new CloudflareFront("front", { ...common, zoneRules: false, origin }),
  );
  expect(Object.keys(inputs)).toEqual(["front", "front-record"]);
});
