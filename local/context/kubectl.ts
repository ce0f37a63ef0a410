import { UserError } from "../errors";
import { attempt, run } from "../run";

/** The user's own kubectl on one context of the user's kubeconfig. */
export class Kubectl {
  private constructor(
    readonly context: string,
    /** Tells a cluster from one that was made anew under the same name. */
    readonly clusterId: string,
  ) {}

  /** @throws UserError without kubectl, such a context, or an answer of its cluster */
  static async on(context: string): Promise<Kubectl> {
    await requireProgram(
      "kubectl",
      ["version", "--client"],
      "https://kubernetes.io/docs/tasks/tools/",
    );
    const names = await run("kubectl", ["config", "get-contexts", "--output=name"]);
    const contexts = names.split("\n").filter(Boolean);
    if (!contexts.includes(context)) {
      throw new UserError(
        `no context ${context} in the kubeconfig`,
        contexts.length > 0
          ? `one of: ${contexts.join(", ")}`
          : "it names none at all: set KUBECONFIG to the cluster's, or write ~/.kube/config",
      );
    }
    const { status, stdout, output } = await attempt("kubectl", [
      ...["--context", context, "--request-timeout=15s", "get", "namespace", "kube-system"],
      "--output=jsonpath={.metadata.uid}",
    ]);
    if (status === 0) return new Kubectl(context, stdout);
    throw new UserError(
      `the cluster of context ${context} does not answer: ${output.trim().split("\n").at(-1)}`,
      "start it, or renew what the kubeconfig says of it",
    );
  }

  run(...args: string[]): Promise<string> {
    return run("kubectl", this.args(args));
  }

  attempt(...args: string[]) {
    return attempt("kubectl", this.args(args));
  }

  /** What `kubectl get ARGS` finds. */
  async list<Item>(...args: string[]): Promise<Item[]> {
    const json = await this.run("get", ...args, "--output=json");
    return (JSON.parse(json) as { items: Item[] }).items;
  }

  args(args: string[]): string[] {
    return ["--context", this.context, ...args];
  }
}

/** @throws UserError unless the program is there and `args` make it end well */
export async function requireProgram(name: string, args: string[], page: string): Promise<void> {
  const { status, output } = await attempt(name, args);
  if (status === 127) throw new UserError(`${name} is not on the PATH`, `install it: ${page}`);
  if (status !== 0) {
    throw new UserError(
      `${name} does not work: ${output.trim().split("\n").at(-1)}`,
      `make this succeed: ${[name, ...args].join(" ")}`,
    );
  }
}
