import { EnvHttpProxyAgent, fetch, type Response } from "undici";

/** Node's own fetch knows no proxies: https://undici.nodejs.org/#/docs/api/EnvHttpProxyAgent */
const dispatcher = new EnvHttpProxyAgent();

/** A file that can't be had from where it should be. */
export class Unavailable extends Error {
  constructor(
    message: string,
    /** Whether it is worth another try. */
    readonly passing: boolean,
  ) {
    super(message);
  }
}

export interface RequestOptions {
  method?: "GET" | "HEAD";
  headers?: Record<string, string>;
  /** Ends the request when nothing comes for so long, from the name's look-up to the last byte. */
  quietSeconds: number;
  signal?: AbortSignal;
}

export interface Answer {
  response: Response;
  body: AsyncIterable<Uint8Array>;
  /** For whoever doesn't read the body. */
  discard: () => Promise<void>;
}

/**
 * One request with its redirects.
 * @throws Unavailable when it ends early, for whatever reason, here or from `body`
 */
export async function request(url: string, options: RequestOptions): Promise<Answer> {
  const host = new URL(url).host;
  const quiet = new AbortController();
  const watchdog = setTimeout(
    () => quiet.abort(new Error(`nothing heard for ${options.quietSeconds} s`)),
    options.quietSeconds * 1_000,
  );
  const failure = (error: unknown) => {
    clearTimeout(watchdog);
    return error instanceof Unavailable ? error : new Unavailable(`${host}: ${why(error)}`, true);
  };

  async function* body(response: Response): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response.body ?? []) {
        watchdog.refresh();
        yield chunk;
      }
    } catch (error) {
      throw failure(error);
    } finally {
      clearTimeout(watchdog);
    }
  }

  const discard = async (response: Response) => {
    clearTimeout(watchdog);
    await response.body?.cancel();
  };

  try {
    const response = await fetch(url, {
      method: options.method ?? "GET",
      // A checksum is of the file as it lies there.
      headers: { "accept-encoding": "identity", ...options.headers },
      redirect: options.method === "HEAD" ? "manual" : "follow",
      signal: AbortSignal.any([quiet.signal, ...(options.signal ? [options.signal] : [])]),
      dispatcher,
    });
    if (url.startsWith("https:") && !response.url.startsWith("https:")) {
      await discard(response);
      throw new Unavailable(`${host} redirects to ${response.url}, which nothing protects`, false);
    }
    watchdog.refresh();
    return { response, body: body(response), discard: () => discard(response) };
  } catch (error) {
    throw failure(error);
  }
}

const probes = new Map<string, Promise<void>>();

/**
 * Asks whether the URL's host answers at all, once for the process: a machine without internet
 * waits for one host only once.
 * @throws Unavailable
 */
export function probe(url: string, seconds: number): Promise<void> {
  const { origin } = new URL(url);
  const known = probes.get(origin);
  if (known !== undefined) return known;
  const answer = request(origin, { method: "HEAD", quietSeconds: seconds }).then(({ discard }) =>
    discard(),
  );
  probes.set(origin, answer);
  return answer;
}

/** Undici hides what happened in `cause`, of two addresses in that one's `errors`. */
function why(error: unknown): string {
  if (error instanceof AggregateError) return why(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : why(error.cause);
}
