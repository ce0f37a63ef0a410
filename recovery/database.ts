import { kubeconfig as localKubeconfig } from "../local/paths";
import { attempt, type Result, run } from "../local/run";
import { readConfig } from "../secrets/stackConfig";

const pod = "postgres-0";
const volume = "/var/lib/postgresql";

/** PostgreSQL's pod of a stack, by kubectl. */
export class Database {
  private constructor(private readonly where: string[]) {}

  /** @param stack its name; "local": the one of this machine */
  static async of(stack: string): Promise<Database> {
    if (stack === "local") {
      return new Database([`--kubeconfig=${localKubeconfig}`, "--namespace=image-service"]);
    }
    const { values } = await readConfig(stack);
    const { kubeconfig, context, namespace = "image-service" } = values as Record<string, string>;
    return new Database([
      ...(kubeconfig ? [`--kubeconfig=${kubeconfig}`] : []),
      ...(context ? [`--context=${context}`] : []),
      `--namespace=${namespace}`,
    ]);
  }

  kubectl(...args: string[]): Promise<string> {
    return run("kubectl", [...this.where, ...args]);
  }

  try(...args: string[]): Promise<Result> {
    return attempt("kubectl", [...this.where, ...args]);
  }

  exec(...command: string[]): Promise<string> {
    return this.kubectl("exec", pod, "--container=postgres", "--", ...command);
  }

  async sql(statement: string): Promise<string> {
    const psql = ["psql", "--username=aigc", "--tuples-only", "--no-align", "--command"];
    return (await this.exec(...psql, statement)).trim();
  }

  info(): Promise<string> {
    return this.exec("pgbackrest", "--output=json", "info");
  }

  /** Free bytes of its volume. */
  async room(): Promise<number> {
    const told = await this.exec("df", "--output=avail", "--block-size=1", volume);
    return Number(told.trim().split("\n").at(-1));
  }

  /** Asks its next start for another moment. */
  async request(moment: string): Promise<void> {
    await this.exec("request-restore", moment);
  }

  /** Files of the volume's root, such as databases that were there before. */
  async files(): Promise<string[]> {
    return (await this.exec("ls", volume)).split("\n").filter(Boolean);
  }

  async isReady(): Promise<boolean> {
    const { stdout } = await this.try(
      ...["get", "pod", pod, "--output=jsonpath={.status.containerStatuses[0].ready}"],
    );
    return stdout === "true";
  }

  async restart(): Promise<void> {
    await this.kubectl("delete", "pod", pod);
  }

  /** Shows what its start says until it is ready, for an hour at most. */
  async follow(show: (text: string) => void): Promise<void> {
    let shown = 0;
    for (const end = Date.now() + 3_600_000; Date.now() < end; ) {
      const { status, stdout } = await this.try("logs", pod, "--container=initdb");
      if (status === 0 && stdout.length > shown) {
        show(stdout.slice(shown));
        shown = stdout.length;
      }
      if (await this.isReady()) return;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    throw new Error(`${pod} was not ready within an hour`);
  }
}
