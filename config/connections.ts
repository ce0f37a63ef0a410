import { poolsOf } from "./pools";
import type { Values } from "./rules/rule";

/**
 * Connections to PostgreSQL that a pod opens at most. A worker claims a task, renews another's lease
 * and records a third at once; docker/service/tests/test_connections.py holds both to it.
 */
export const connectionsOf = { api: 10, worker: 3 };

/** Migrations, backup, restore, an exporter, the operator's commands, and what PostgreSQL and RDS keep. */
const others = 11;

/** The most workers that there are at a time. */
export const mostWorkers = ({ pools, ...plain }: Values["workers"]): number =>
  [plain, ...poolsOf({ pools, ...plain })]
    .map(({ replicas, autoscaling }) => autoscaling.max || replicas)
    .reduce((sum, count) => sum + count, 0);

/**
 * What all pods open at most, while a rollout replaces them: each pod of the api has a successor beside
 * it until its last request is answered; of the workers one does, for there is no GPU for more.
 */
export const connectionsOfAll = (api: number, workers: number): number =>
  2 * api * connectionsOf.api + (workers + 1) * connectionsOf.worker + others;

export const connectionsNeeded = ({ api, workers }: Pick<Values, "api" | "workers">): number =>
  connectionsOfAll(api.replicas, mostWorkers(workers));
