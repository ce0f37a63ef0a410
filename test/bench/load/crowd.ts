import { join } from "node:path";
import { pictureSeconds as onGpu } from "../../../capacity/gpus";
import { ensureToolchain } from "../../../local/toolchain";
import { measure } from "../../python";
import { arrivals, type Phase } from "./arrivals";
import type { Run } from "./outcome";

export const workers = 8;
/** A picture takes a quarter of an H100's time. */
export const pictureSeconds = onGpu.H100 / 4;
/** Pictures a second, of all workers. */
export const most = workers / pictureSeconds;
/** What they draw in two seconds. */
export const queueLimit = Math.ceil(2 * most);

/**
 * Sends a crowd's requests through nginx to the service, whose model only takes its time.
 * @param runs one after another, by name
 */
export async function crowd<Name extends string>(
  runs: Record<Name, Phase[]>,
): Promise<Record<Name, Run>> {
  const { attack } = await ensureToolchain(() => {}, ["attack"]);
  const plan = {
    attack,
    workers,
    picture_seconds: pictureSeconds,
    queue_limit: queueLimit,
    runs: Object.entries<Phase[]>(runs).map(([name, phases], seed) => ({
      name,
      moments: arrivals(phases, seed),
    })),
  };
  return measure(join(__dirname, "main.py"), [], { input: JSON.stringify(plan) });
}
