import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { ApiError, type Status, UnknownKindError, UnreachableError } from "./errors";
import { describe, type KubernetesObject } from "./objects";
import type { Fields } from "./properties";

const timeoutMs = 30_000;
const maxAttempts = 10;
const applyType = "application/apply-patch+yaml";
const mergePatchType = "application/merge-patch+json";

export interface Kind {
  apiVersion: string;
  kind: string;
}

export interface ApplyOptions {
  fieldManager: string;
  force: boolean;
  dryRun: boolean;
}

interface Request {
  path: string;
  method?: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  contentType?: string;
  /** Gets the API server's warnings: a deprecated version, a violated Pod Security level. */
  onWarning?: (text: string) => void;
}

interface ApiResource {
  name: string;
  kind: string;
  namespaced: boolean;
}

/**
 * The API server, for objects of any kind. The generated client would put them through its own
 * models and so lose fields that it doesn't know; this passes JSON as it is.
 */
export class Cluster {
  readonly #server: string;
  readonly #agent: http.Agent | undefined;
  readonly #discovered = new Map<string, ApiResource[]>();

  constructor(private readonly kubeconfig: KubeConfig) {
    const cluster = kubeconfig.getCurrentCluster();
    this.#server = cluster?.server ?? "";
    const { Agent } = this.#server.startsWith("http:") ? http : https;
    this.#agent = cluster?.proxyUrl ? undefined : new Agent({ keepAlive: true });
  }

  get(object: KubernetesObject): Promise<KubernetesObject> {
    return this.#send(object, {});
  }

  /** The object, or undefined when it or its kind isn't there. */
  async find(object: KubernetesObject): Promise<KubernetesObject | undefined> {
    try {
      return await this.get(object);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Server-side apply. */
  apply(
    object: KubernetesObject,
    { fieldManager, force, dryRun }: ApplyOptions,
    onWarning?: (text: string) => void,
  ): Promise<KubernetesObject> {
    return this.#send(object, {
      method: "PATCH",
      query: { fieldManager, force, dryRun: dryRun ? "All" : undefined },
      contentType: applyType,
      body: object,
      onWarning,
    });
  }

  merge(object: KubernetesObject, patch: Fields): Promise<KubernetesObject> {
    return this.#send(object, { method: "PATCH", contentType: mergePatchType, body: patch });
  }

  /** Deletes an object if it is there; it may go on existing for a while. */
  async remove(object: KubernetesObject, propagationPolicy: string): Promise<void> {
    try {
      await this.#send(object, { method: "DELETE", body: { propagationPolicy } });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async list<T>(
    kind: Kind,
    namespace: string,
    query: { labelSelector?: string; fieldSelector?: string },
  ): Promise<T[]> {
    const path = await this.#collection(kind, namespace);
    return (await this.#request<{ items: T[] }>({ path, query })).items;
  }

  /** The last lines that a container wrote. */
  async log(pod: KubernetesObject, query: { container: string; previous: boolean }) {
    const path = `${await this.#path(pod)}/log`;
    return await this.#request<string>({ path, query: { ...query, tailLines: 5 } });
  }

  /** Whether objects of this kind live in namespaces; undefined for a kind not (yet) known. */
  async isNamespaced(kind: Kind): Promise<boolean | undefined> {
    return (await this.#discover(kind))?.namespaced;
  }

  async #send(object: KubernetesObject, request: Omit<Request, "path">): Promise<KubernetesObject> {
    return await this.#request({ ...request, path: await this.#path(object) }, object);
  }

  async #path(object: KubernetesObject): Promise<string> {
    const { name = "", namespace } = object.metadata;
    return `${await this.#collection(object, namespace)}/${encodeURIComponent(name)}`;
  }

  async #collection(kind: Kind, namespace: string | undefined): Promise<string> {
    const resource = await this.#discover(kind);
    if (!resource) throw new UnknownKindError(kind);
    const scope = resource.namespaced ? `/namespaces/${namespace ?? "default"}` : "";
    return `${root(kind.apiVersion)}${scope}/${resource.name}`;
  }

  async #discover({ apiVersion, kind }: Kind): Promise<ApiResource | undefined> {
    const find = () =>
      this.#discovered
        .get(apiVersion)
        ?.find((resource) => resource.kind === kind && !resource.name.includes("/"));
    const known = find();
    if (known) return known;
    try {
      const { resources } = await this.#request<{ resources: ApiResource[] }>({
        path: root(apiVersion),
      });
      this.#discovered.set(apiVersion, resources);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    return find();
  }

  async #request<T>(request: Request, object?: KubernetesObject): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const { status, headers, text } = await this.#exchange(request);
      // An API server that has too much to do says when to come again.
      const retryAfter = Number(headers["retry-after"]);
      if ((status === 429 || status >= 500) && retryAfter > 0 && attempt < maxAttempts) {
        await sleep(retryAfter * 1_000);
        continue;
      }
      if (status >= 400) throw new ApiError(parseStatus(status, text), object && describe(object));
      for (const [, warning] of (headers.warning ?? "").matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
        request.onWarning?.((warning as string).replaceAll('\\"', '"'));
      }
      return headers["content-type"]?.includes("json") ? JSON.parse(text) : (text as T);
    }
  }

  async #exchange(request: Request) {
    const url = new URL(this.#server.replace(/\/$/, "") + request.path);
    for (const [key, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const options: https.RequestOptions = { method: request.method, timeout: timeoutMs };
    await this.kubeconfig.applyToHTTPSOptions(options);
    options.agent = this.#agent ?? options.agent;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    options.headers = {
      ...options.headers,
      Accept: "application/json, text/plain",
      ...(body !== undefined && {
        "Content-Type": request.contentType ?? "application/json",
        // Node sends none of itself with a DELETE.
        "Content-Length": Buffer.byteLength(body),
      }),
    };
    return await exchange(url, options, body);
  }
}

interface Response {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

function exchange(url: URL, options: https.RequestOptions, body: string | undefined) {
  return new Promise<Response>((resolve, reject) => {
    const { request } = url.protocol === "http:" ? http : https;
    const sent = request(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", fail);
      response.on("end", () =>
        resolve({ status: response.statusCode as number, headers: response.headers, text }),
      );
    });
    function fail(error: NodeJS.ErrnoException) {
      // The server closed an idle connection just as it was used again.
      if (sent.reusedSocket && error.code === "ECONNRESET") {
        exchange(url, options, body).then(resolve, reject);
      } else {
        reject(new UnreachableError(url.origin, error.message || String(error.code)));
      }
    }
    sent.on("error", fail);
    sent.on("timeout", () => sent.destroy(new Error(`no answer for ${timeoutMs / 1_000} s`)));
    sent.end(body);
  });
}

function root(apiVersion: string): string {
  return `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}`;
}

function parseStatus(code: number, text: string): Status {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return { code, reason: String(code), message: text.trim() };
  }
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof UnknownKindError || (error instanceof ApiError && error.status.code === 404)
  );
}
