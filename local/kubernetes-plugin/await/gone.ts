import { describe, type KubernetesObject } from "../objects";
import { pause, type Wait } from "./ready";

/**
 * Waits until a deleted object is gone.
 * @throws when it is still there after the time is up
 */
export async function untilGone(object: KubernetesObject, wait: Wait): Promise<void> {
  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1_000;
  for (;;) {
    const live = await wait.cluster.find(object).catch((error: Error) => {
      wait.log.problem(error.message); // an API server that restarts is waited for
      return object;
    });
    if (!live || live.metadata.uid !== object.metadata.uid) break;
    const rest = remains(live);
    wait.log.status(`waiting until it is gone${rest && `: ${rest}`}`);
    if (wait.signal.aborted) throw new Error(`${describe(object)}: cancelled while it was deleted`);
    if (seconds() >= wait.timeoutSeconds) {
      throw new Error(
        `${describe(object)} is still there ${wait.timeoutSeconds} s after its deletion` +
          `${rest && `: ${rest}`}. Remove what holds it, or give it more time with customTimeouts`,
      );
    }
    await pause(seconds(), wait.signal);
  }
  wait.log.status("");
}

/** What holds an object that is being deleted. */
function remains({ metadata, status }: KubernetesObject): string {
  const { conditions = [] } = (status ?? {}) as {
    conditions?: { type: string; status: string; message?: string }[];
  };
  // A namespace says which of its contents are left.
  const contents = conditions
    .filter(
      ({ type, status }) => /^Namespace.*(Remaining|Failure)$/.test(type) && status === "True",
    )
    .map(({ message }) => message);
  // Kubernetes' own finalizer only says that the object goes after what it owns.
  const finalizers = ((metadata.finalizers ?? []) as string[]).filter(
    (name) => name !== "foregroundDeletion",
  );
  return [...contents, ...finalizers.map((name) => `finalizer ${name}`)].join("; ");
}
