import * as pulumi from "@pulumi/pulumi";
import type { Peer, Place } from "../network/flows";

/** A job of Prometheus: every address behind a headless Service, at one port. */
export type ScrapeTarget = { job: string; host: string; port: number } & Exclude<Peer, Place>;

export interface PrometheusConfigArgs {
  targets: ScrapeTarget[];
  /** Of the stack; tells whoever is told of several whose alert it is. */
  namespace: string;
  /** host:port of an Alertmanager. @default alerts are only shown */
  alertmanager?: string;
  /** Jobs that are found otherwise than by DNS. @default none */
  others?: { job_name: string }[];
}

/** How often targets are asked, and rules, whose ranges are made for that. */
export const intervals = { scrape: "5s", scrapeTimeout: "4s", evaluation: "15s" };

/** Beside prometheus.yml. */
export const rulesFile = "alerts.yml";

/**
 * prometheus.yml, which is also valid JSON. Targets come from DNS, so that Prometheus needs no
 * access to the Kubernetes API but for the nodes.
 * https://prometheus.io/docs/prometheus/latest/configuration/configuration/#dns_sd_config
 */
export function renderPrometheusConfig({
  targets,
  namespace,
  alertmanager,
  others = [],
}: PrometheusConfigArgs): string {
  const jobs = [...targets.map(({ job }) => job), ...others.map(({ job_name }) => job_name)];
  const twice = jobs.find((job, at) => jobs.indexOf(job) !== at);
  // Prometheus would not start.
  if (twice) {
    throw new pulumi.RunError(
      `monitoring.exporters names a job ${twice}, which is there already; give it another name`,
    );
  }
  const configuration = {
    global: {
      scrape_interval: intervals.scrape,
      scrape_timeout: intervals.scrapeTimeout,
      evaluation_interval: intervals.evaluation,
      external_labels: { namespace },
    },
    rule_files: [rulesFile],
    ...(alertmanager && {
      alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
    }),
    scrape_configs: [
      ...targets.map(({ job, host, port }) => ({
        job_name: job,
        dns_sd_configs: [{ names: [host], type: "A", port, refresh_interval: "5s" }],
      })),
      ...others,
    ],
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}
