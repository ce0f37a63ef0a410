import { spawn } from "node:child_process";
import { once } from "node:events";
import { UserError } from "../errors";
import type { Kubectl } from "./kubectl";

/** No node's address need be reachable: kubectl brings nginx to this machine. */
const port = 30080;
export const endpoint = `http://127.0.0.1:${port}`;

export const forwardArgs = (namespace: string) => [
  ...["--namespace", namespace, "port-forward", "service/nginx", `${port}:80`],
];

/** Does some work while `endpoint` leads to the namespace's nginx. */
export async function forwarded<Value>(
  kubectl: Kubectl,
  namespace: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const child = spawn("kubectl", kubectl.args(forwardArgs(namespace)), {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    errors += chunk;
  });
  const ended = once(child, "close").then(() => false);
  try {
    const ready = once(child.stdout, "data").then(() => true);
    if (await Promise.race([ready, ended])) return await work();
    throw new UserError(
      `kubectl port-forward ended: ${errors.trim()}`,
      `mend what it names (port ${port} of this machine must be free), and run it again`,
    );
  } finally {
    child.kill();
    await ended;
  }
}
