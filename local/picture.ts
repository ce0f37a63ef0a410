import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "./errors";
import { interrupt } from "./run";

const request = {
  prompt: "a large white triangle on a green background",
  width: 256,
  height: 256,
  steps: 8,
  seed: 35,
};

/**
 * Generates a picture through nginx, as a client would, and writes it to `file`.
 * @param kubectl the command that leads to the stack's pods
 */
export async function makePicture(
  endpoint: string,
  apiKey: string,
  file: string,
  kubectl: string,
): Promise<void> {
  const url = `${endpoint}/api/generate`;
  let problem = "";
  // nginx asks DNS for the api's pods every few seconds; the first look may have found none.
  for (let tries = 0; tries < 20; tries++) {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${apiKey}`,
        "content-type": "application/json",
        accept: "image/png",
      },
      body: JSON.stringify(request),
      signal: interrupt.signal,
    }).catch((error: Error) => error);
    if (response instanceof Error) {
      interrupt.signal.throwIfAborted();
      problem = response.message;
    } else if (response.headers.get("content-type") === "image/png") {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, Buffer.from(await response.arrayBuffer()));
      return;
    } else {
      problem = `${response.status} ${(await response.text()).slice(0, 300)}`;
      if (response.status < 500) break;
    }
    await sleep(1_000);
  }
  throw new UserError(
    `POST ${url} gave no picture: ${problem}`,
    `look at the logs: ${kubectl} logs -l app=aigc-worker`,
  );
}
