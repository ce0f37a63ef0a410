import * as k8s from "@pulumi/kubernetes";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { exporterResources, restrictedContainer } from "../kubernetes/pods";
import { labels, ports, serviceHost } from "../names";
import { type Alert, tooFewPods } from "../observability/alerts";
import type { ScrapeTarget } from "../observability/prometheusConfig";

/** For `http`: what nginx tells of its connections, to its own pod alone. */
export const statusServer = `server {
    listen 127.0.0.1:${ports.nginxStatus};
    access_log off;
    location = /stub_status {
        stub_status;
    }
}`.split("\n");

/**
 * Stands beside nginx in each of its pods, and hands that on to Prometheus. It has no probe: a pod
 * whose nginx answers serves, whatever its exporter does.
 * @param image by digest; nginx/nginx-prometheus-exporter
 */
export const nginxExporter = (image: string) => ({
  ...restrictedContainer,
  name: "exporter",
  image,
  // https://github.com/nginx/nginx-prometheus-exporter/blob/v1.5.1/README.md#command-line-arguments
  command: [
    "/usr/bin/nginx-prometheus-exporter",
    `--web.listen-address=:${ports.nginxExporter}`,
    `--nginx.scrape-uri=http://127.0.0.1:${ports.nginxStatus}/stub_status`,
    // Less than Prometheus waits, to which it then says that nginx doesn't answer.
    "--nginx.timeout=3s",
  ],
  ports: [{ name: "metrics", containerPort: ports.nginxExporter }],
  resources: exporterResources,
});

/** One address for each pod of nginx. @returns where Prometheus finds them */
export function nginxTarget(
  app: string,
  namespace: string,
  opts: CustomResourceOptions,
): ScrapeTarget {
  const name = `${app}-metrics`;
  new k8s.core.v1.Service(
    name,
    {
      metadata: { name, namespace, labels: labels(app) },
      spec: {
        clusterIP: "None",
        selector: labels(app),
        // Also of one whose nginx doesn't answer, which is what it is looked at for.
        publishNotReadyAddresses: true,
        ports: [{ name: "metrics", port: ports.nginxExporter }],
      },
    },
    opts,
  );
  return { job: app, app, host: serviceHost(name, namespace), port: ports.nginxExporter };
}

/** https://nginx.org/en/docs/http/ngx_http_stub_status_module.html#data */
const dropped = ["accepted", "handled"]
  .map((connections) => `sum(rate(nginx_connections_${connections}[5m]))`)
  .join("\n  - ");

/** @param replicas of nginx */
export const nginxAlerts = (app: string, replicas: number): Alert[] => [
  {
    name: "NoNginx",
    labels: { job: app },
    when: "sum(nginx_up) == 0 or absent(nginx_up)",
    for: "1m",
    severity: "page",
    summary: "No nginx answers its own pod: no client is answered.",
    action: `kubectl describe pods -l app=${app}, and kubectl logs -l app=${app} -c nginx --previous.`,
  },
  {
    ...tooFewPods(app, app, replicas, "10m"),
    // Its exporter goes on without it.
    when: `sum(nginx_up) < ${replicas}`,
  },
  {
    name: "ConnectionsDropped",
    // Beyond the one that may be taken between the two counts.
    when: `${dropped} > 0.1`,
    for: "5m",
    severity: "page",
    summary: "nginx drops {{ $value | humanize }} connections a second: it has no room for more.",
    action: "Raise nginx.replicas; nginx_connections_active by instance says who holds them.",
  },
];
