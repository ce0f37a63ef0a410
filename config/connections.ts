import type { Values } from "./rules/rule";

/**
 * Connections to PostgreSQL that a pod opens at most. A worker's claim, heartbeats and relay need three
 * at once; docker/service/tests/test_connections.py holds both to it.
 */
export const connectionsOf = { api: 10, worker: 3 };

/** Migrations, backup, restore, the operator's commands, and what PostgreSQL and RDS keep for themselves. */
const others = 10;

/**
 * What all pods open at most, while a rollout replaces them: each pod of the api has a successor beside
 * it until its last request is answered; of the workers one does, for there is no GPU for more.
 */
export const connectionsNeeded = ({ api, workers }: Pick<Values, "api" | "workers">): number =>
  2 * api.replicas * connectionsOf.api + (workers.replicas + 1) * connectionsOf.worker + others;
