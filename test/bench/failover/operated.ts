import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ports } from "../../../components/names";
import { applyObjects } from "../../../local/cluster";
import { addresses } from "../../../local/cluster/addresses";
import { applyReleased, deleteReleased } from "../../../local/cluster/released";
import { ensureImage, loadImage } from "../../../local/images";
import {
  cloudNativePgRecipe,
  operatedPostgresRecipe,
  type Recipe,
} from "../../../local/images/recipes";
import { kubeconfig } from "../../../local/paths";
import { attempt, type Result, run } from "../../../local/run";
import { ensureToolchain, type Toolchain } from "../../../local/toolchain";
import type { Props } from "../../../policy/resource";
import { localCluster } from "../../e2e/cluster";
import { declareEach, isRefused } from "../../golden/stacks";
import { plain } from "../../golden/whole";

const namespace = "image-service-failover";
const operator = "cnpg-system";
const name = "postgres";
/** Of the elastic stack, but for its archive: the plugin that keeps it can't be had as a Go module. */
const objects = ["policies-default-deny", "policies-postgres", "postgres-credentials"];

/** PostgreSQL as it is declared with `postgres.operator: cnpg`, kept by the real operator. */
export class OperatedDatabase {
  private constructor(
    private readonly toolchain: Toolchain,
    /** For this machine: its Service's own address, as it has no DNS of the cluster's. */
    readonly url: string,
    private readonly replicas: number,
  ) {}

  /** Installs the operator and has it make the database. */
  static async start(replicas: number): Promise<OperatedDatabase> {
    const { toolchain } = await localCluster();
    const programs = { ...toolchain, ...(await ensureToolchain(() => {}, ["cloudnative-pg"])) };
    const [operatorImage, image] = [
      await loaded(cloudNativePgRecipe, programs),
      await loaded(operatedPostgresRecipe, programs),
    ];
    const manifests = join(dirname(programs["cloudnative-pg"]), "config/default");
    await applyReleased(programs, operator, manifests, ["controller"], operatorImage);
    const kubectl = (...args: string[]) =>
      run(programs.kubectl, [`--kubeconfig=${kubeconfig}`, ...args]);
    await kubectl(
      ...["--namespace", operator, "wait", "--for=condition=Available", "--timeout=240s"],
      ...["deployment", "--all"],
    );
    const [declared] = await declareEach("elastic", [
      { namespace, "postgres.replicas": replicas, "images.cnpg": image.replace("@", ":18@") },
    ]);
    if (!declared || isRefused(declared)) throw new Error(declared?.refused as string);
    const input = (logical: string) => {
      const object = plain(declared[logical]?.inputs) as Props;
      return { ...object, metadata: { name: logical, ...object.metadata } };
    };
    const cluster = input("postgres-cluster") as Props;
    const { plugins: _, imagePullSecrets: __, ...spec } = cluster.spec;
    await applyObjects(programs, [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      ...objects.map(input),
      renderLeave(),
      { ...cluster, spec },
    ]);
    const database = new OperatedDatabase(programs, "", replicas);
    await database.whole();
    const address = await database.#kubectl(
      ...["get", "service", `${name}-rw`, "--output=jsonpath={.spec.clusterIP}"],
    );
    const { username, password } = (input("postgres-credentials") as Props).stringData;
    const url = `postgresql://${username}:${password}@${address}:${ports.postgres}/aigc`;
    return new OperatedDatabase(programs, url, replicas);
  }

  /** Waits until each of its pods is there and one is written to. */
  async whole(): Promise<void> {
    const end = Date.now() + 300_000;
    for (;;) {
      const { status, output } = await this.#attempt("get", "cluster", name, "--output=json");
      const state: Props = status === 0 ? JSON.parse(output).status : {};
      const ready = state?.readyInstances === this.replicas;
      if (ready && state.phase === "Cluster in healthy state") return;
      if (Date.now() > end) throw new Error(`the database does not come up: ${output}`);
      await pause(500);
    }
  }

  /** The pod that is written to. */
  primary(): Promise<string> {
    return this.#kubectl("get", "cluster", name, "--output=jsonpath={.status.currentPrimary}");
  }

  /** Its pod is deleted. @param how as kubectl has it */
  async deletePrimary(...how: string[]): Promise<void> {
    await this.#kubectl("delete", "pod", await this.primary(), "--wait=false", ...how);
  }

  /** `kill -9` of the server, beside which its pod lives on. */
  async killServer(): Promise<void> {
    await this.#kubectl(
      ...["exec", await this.primary(), "--container=postgres", "--", "bash", "-c"],
      "kill -KILL $(head -n 1 $PGDATA/postmaster.pid)",
    );
  }

  /** As its node's loss: it answers nobody, and nobody is told. @returns what lets it be found dead */
  async cutOffPrimary(): Promise<() => Promise<void>> {
    const pod = await this.primary();
    const uid = await this.#kubectl("get", "pod", pod, "--output=jsonpath={.metadata.uid}");
    const processes = processesOf(uid);
    await run("nsenter", [
      ...["--target", String(processes[0]), "--net", "ip", "link", "set", "eth0", "down"],
    ]);
    await attempt("kill", ["-STOP", ...processes.map(String)]);
    return async () => {
      await attempt("kill", ["-KILL", ...processesOf(uid).map(String)]);
      await this.#attempt("delete", "pod", pod, "--grace-period=0", "--force");
    };
  }

  /** @returns the first row, its columns with | between them */
  async sql(statement: string): Promise<string> {
    const options = ["--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
    return (await run("psql", [this.url, ...options, `--command=${statement}`])).trim();
  }

  async close(): Promise<void> {
    await this.#kubectl("delete", "namespace", namespace);
    await deleteReleased(this.toolchain, operator);
  }

  #kubectl(...args: string[]): Promise<string> {
    return run(this.toolchain.kubectl, this.#arguments(args));
  }

  #attempt(...args: string[]): Promise<Result> {
    return attempt(this.toolchain.kubectl, this.#arguments(args));
  }

  #arguments = (args: string[]) => [
    `--kubeconfig=${kubeconfig}`,
    "--namespace",
    namespace,
    ...args,
  ];
}

/** This machine's api is no pod that a policy could name. */
const renderLeave = () => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "this-machine", namespace },
  spec: {
    podSelector: { matchLabels: { app: name } },
    ingress: [
      { from: [{ ipBlock: { cidr: `${addresses.host}/32` } }], ports: [{ port: ports.postgres }] },
    ],
  },
});

async function loaded(recipe: Recipe, toolchain: Toolchain): Promise<string> {
  await ensureImage(recipe, toolchain, () => {});
  return loadImage(recipe, toolchain, () => {});
}

/** Of this machine, in a pod's cgroup. */
const processesOf = (uid: string): number[] =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(uid);
      } catch {
        // It has ended.
        return false;
      }
    })
    .map(Number);
