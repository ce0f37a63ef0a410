import type { Receivers } from "../components/observability/alertmanager";
import type { Config } from "../config";

/** Who is told of alerts, with what the way to them takes. */
export function receivers({ monitoring, secrets }: Config): Receivers {
  const ways: Required<Omit<Receivers, "watchdog">> = {
    webhook: secrets.alertWebhook,
    slack: secrets.slackWebhook,
    pagerduty: secrets.pagerdutyKey,
    email: { ...monitoring.email, password: secrets.smtpPassword },
  };
  return {
    ...Object.fromEntries(monitoring.receivers.map((way) => [way, ways[way]])),
    ...(monitoring.watchdog && { watchdog: secrets.watchdogWebhook }),
  };
}
