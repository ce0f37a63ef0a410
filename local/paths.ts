import { homedir } from "node:os";
import { join } from "node:path";

/** The checkout this file lies in. */
export const repository = join(__dirname, "..");

/** What is expensive to make and safe to delete: toolchain, image archives. Outside the repo. */
export const cache =
  process.env.IMAGE_SERVICE_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "image-service");

/** Everything that the running stack owns; `reset` deletes it. Other users have clusters of theirs. */
export const state =
  process.env.IMAGE_SERVICE_STATE ??
  (process.getuid?.() === 0
    ? "/var/lib/image-service"
    : join(process.env.XDG_STATE_HOME ?? join(homedir(), ".local/state"), "image-service"));

/** The node sees this directory as its /var. */
export const nodeVar = join(state, "var");
export const pki = join(nodeVar, "lib/kubernetes/pki");
export const logs = join(state, "log");
export const kubeconfig = join(state, "kubeconfig");
export const statusFile = join(state, "status.json");

/** Drawn at the end of a set-up. */
export const firstPicture = join(repository, "out/first.png");
