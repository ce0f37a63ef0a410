import { postgresConnections, rdsConnections } from "../../components/vendors";
import { connectionsNeeded, mostWorkers } from "../connections";
import { type Rule, rule } from "./rule";

export const connectionRules: Rule[] = [
  rule(["postgres", "api", "workers"], ({ postgres, api, workers }) => {
    const needed = connectionsNeeded({ api, workers });
    const { managed, instanceClass, resources } = postgres;
    const { memory } = resources.limits;
    const there = managed ? rdsConnections(instanceClass) : postgresConnections(memory);
    if (there === undefined || needed <= there) return [];
    const but = `${api.replicas} pods of the api and ${mostWorkers(workers)} workers open up to ${needed} connections, and it carries ${there}`;
    const key = managed ? "postgres.instanceClass" : "postgres.resources.limits.memory";
    const larger = managed ? "LARGER" : enough(needed);
    return [
      {
        key,
        is: JSON.stringify(managed ? instanceClass : memory),
        but,
        fix: `set --path ${key} ${larger}`,
      },
    ];
  }),
];

/** The least whole Gi of memory that carries so many connections. */
function enough(connections: number): string {
  let gib = 1;
  while (postgresConnections(`${gib}Gi`) < connections) gib += 1;
  return `${gib}Gi`;
}
