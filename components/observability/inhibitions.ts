/** What follows from a cause is not told beside it. */
interface Inhibition {
  causes: string[];
  /** Never another cause, which would be hidden. */
  effects: string[];
  /** Labels, besides the stack's, that both have the same. @default [] */
  of?: string[];
}

const noWorkers = ["NoWorker", "NoWorkerStarts"];
const requests = ["RequestsFail", "RequestsFailSlowly", "RequestsSlow"];
const queue = ["QueueWaits", "QueueGrows", "RequestsShed"];
const late = ["PicturesLate", "PicturesLateForDays"];

export const inhibitions: Inhibition[] = [
  { causes: ["NoApi"], effects: requests },
  { causes: ["DatabaseDown"], effects: [...requests, ...queue, ...late, "AttemptsFail"] },
  { causes: ["RedisDown"], effects: [...requests, ...queue, ...late] },
  { causes: noWorkers, effects: ["QueueWaits"], of: ["model"] },
  { causes: noWorkers, effects: ["QueueGrows", "RequestsShed", ...late] },
  // What waits for long is late.
  { causes: ["QueueWaits", "RequestsShed"], effects: late },
  { causes: [...noWorkers, "NoApi", "NoNginx"], effects: ["TooFewPods", "CrashLoop"], of: ["job"] },
  { causes: noWorkers, effects: ["ScalerStuck"], of: ["job"] },
  { causes: ["DatabaseDown", "RedisDown"], effects: ["ExporterBlind"] },
  { causes: ["CrashLoop"], effects: ["TooFewPods"], of: ["job"] },
  { causes: ["RequestsShed"], effects: ["QueueGrows"] },
  { causes: ["RequestsFail"], effects: ["RequestsFailSlowly"] },
  { causes: ["CertificateEnds"], effects: ["CertificateAges"] },
  { causes: ["PicturesLate"], effects: ["PicturesLateForDays"] },
];

/**
 * https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings
 * @param alerts names of those that the stack has
 */
export function renderInhibitions(alerts: string[]): object[] {
  const named = (names: string[]) => names.filter((name) => alerts.includes(name));
  return inhibitions
    .map(({ causes, effects, of = [] }) => ({
      causes: named(causes),
      effects: named(effects),
      equal: ["namespace", ...of],
    }))
    .filter(({ causes, effects }) => causes.length > 0 && effects.length > 0)
    .map(({ causes, effects, equal }) => ({
      source_matchers: [`alertname=~"${causes.join("|")}"`],
      target_matchers: [`alertname=~"${effects.join("|")}"`],
      equal,
    }));
}
