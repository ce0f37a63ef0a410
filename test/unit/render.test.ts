import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renderNginxConf } from "../../components/edge/nginxConf";
import { renderPrometheusConfig } from "../../components/observability/prometheusConfig";
import { renderRedisConf } from "../../components/stores/redis";
import { repository } from "../../local/paths";

const nginxArgs = {
  upstream: "api.ns.svc.cluster.local",
  resolver: "dns.example",
  maxBody: "512k",
  maxInput: 10,
  maxWaitSeconds: 295,
  corsOrigins: [],
  proxies: [],
  clientHeader: "X-Forwarded-For" as const,
  proxyProtocol: false,
  tls: "none" as const,
};
const nginx = renderNginxConf(nginxArgs);

test("nginx balances over the api's pods by least connections, as DNS lists them", () => {
  expect(nginx).toMatch(
    /least_conn;\n\s+server api\.ns\.svc\.cluster\.local:8000 resolve weight=1 max_fails=3;/,
  );
  expect(nginx).toContain("resolver dns.example");
});

test.each(["/api/generate", "/v1/images/generations"])(
  "nginx waits longer at %s than the api does, and when it is told to leave too",
  (path) => {
    const conf = renderNginxConf({ ...nginxArgs, maxWaitSeconds: 300 });
    const seconds = (text: string | undefined) => Number(/timeout (\d+)s;/.exec(text ?? "")?.[1]);
    const location = conf.split(`location ${path} {`)[1]?.split("}")[0];
    expect(seconds(location?.split("proxy_read_")[1])).toBeGreaterThan(300);
    expect(seconds(conf.split("worker_shutdown_")[1])).toBeGreaterThan(300);
  },
);

test("nginx never sends a POST twice", () => {
  expect(nginx).not.toContain("non_idempotent");
});

test("nginx logs each request as JSON with its id, and passes the id on", () => {
  expect(nginx).toContain("proxy_set_header X-Request-ID $id;");
  const [, log = ""] = /log_format json escape=json([^;]*);/.exec(nginx) ?? [];
  const format = [...log.matchAll(/'(.*)'/g)].map(([, part]) => part).join("");
  const line = format.replace(/"\$\w+"/g, '""').replace(/\$\w+/g, "0");
  expect(JSON.parse(line)).toMatchObject({ request_id: "", ray: "", status: 0, seconds: 0 });
});

test("nginx keeps a client's own id where the api would, and else gives one", () => {
  const [, pattern = ""] = /"~(.*)" \$http_x_request_id;/.exec(nginx) ?? [];
  const middleware = readFileSync(join(repository, "docker/service/api/middleware.py"), "utf8");
  expect(middleware).toContain(`_REQUEST_ID = re.compile(r"${pattern.replace(/^\^|\$$/g, "")}")`);
});

test("nginx refuses a body that is too long, and a client that dawdles", () => {
  expect(nginx).toContain("client_max_body_size 512k;");
  expect(nginx).toMatch(/client_header_timeout 10s;\s+client_body_timeout 10s;/);
});

test("nginx takes as large an edit as the api does: two inputs and a MiB", () => {
  const middleware = readFileSync(join(repository, "docker/service/api/middleware.py"), "utf8");
  expect(middleware).toContain("return 2 * largest_input + 2**20");
  expect(nginx).toMatch(/\/v1\/images\/edits {[^}]*client_max_body_size 21m;/);
});

test("Redis keeps an append-only file and evicts nothing", () => {
  expect(renderRedisConf("384Mi")).toMatch(/appendonly yes\nappendfsync everysec/);
  expect(renderRedisConf("384Mi")).toContain("maxmemory-policy noeviction");
});

test("Prometheus finds every pod behind a Service through DNS, and names its stack to Alertmanager", () => {
  const config = JSON.parse(
    renderPrometheusConfig({
      targets: [{ job: "api", app: "api", host: "api.ns", port: 9090 }],
      namespace: "ns",
    }),
  );
  expect(config.global.external_labels).toEqual({ namespace: "ns" });
  expect(config.scrape_configs).toEqual([
    {
      job_name: "api",
      dns_sd_configs: [{ names: ["api.ns"], type: "A", port: 9090, refresh_interval: "5s" }],
    },
  ]);
});

test.each([
  ["384Mi", 192 * 2 ** 20],
  ["1.5Gi", 768 * 2 ** 20],
  ["2Ti", 2 ** 40],
])("Redis fills half of a limit of %s, so that it can rewrite its file", (limit, bytes) => {
  expect(renderRedisConf(limit)).toContain(`\nmaxmemory ${bytes}\n`);
});
