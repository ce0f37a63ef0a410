import { setTimeout as sleep } from "node:timers/promises";
import { untilGone } from "./await/gone";
import { judge, untilReady, type Wait } from "./await/ready";
import { Cluster } from "./cluster";
import type { ProviderConfig } from "./config";
import { type Change, changes, type Path, parsePath } from "./diff";
import { importedInputs, liveInputs } from "./drift";
import type { EngineLog, ResourceLog } from "./engine";
import { ApiError, ExistsError, NotReadyError, UnknownKindError, UnreachableError } from "./errors";
import { takeOver } from "./fieldManagers";
import { type NamingRequest, randomSuffix, withName } from "./naming";
import {
  annotation,
  identifier,
  type KubernetesObject,
  kindOfUrn,
  type Metadata,
  parseIdentifier,
  skipsAwait,
} from "./objects";
import { type Fields, hasUnknowns, reveal } from "./properties";
import { deletesBeforeReplace, replaces, replacingPaths } from "./replacement";
import { fromOutputs, plainInputs, type State, toInputs, toOutputs } from "./state";

export interface Check extends NamingRequest {
  urn: string;
  oldInputs: Fields;
  inputs: Fields;
}

export interface Difference {
  changes: (Change & { replaces: boolean })[];
  deleteBeforeReplace: boolean;
}

/** Every request: properties come and go with their secrets wrapped. */
interface Request {
  urn: string;
  /** From customTimeouts; 0 when not given. */
  timeoutSeconds: number;
}

export interface Create extends Request {
  inputs: Fields;
  preview: boolean;
}

export interface Update extends Request {
  oldOutputs: Fields;
  inputs: Fields;
  ignoreChanges: string[];
  preview: boolean;
}

export interface Read {
  urn: string;
  id: string;
  inputs: Fields;
  outputs: Fields;
}

export interface Delete extends Request {
  outputs: Fields;
}

/** Kubernetes resources in one cluster, by the official provider's rules. */
export class Provider {
  readonly #cluster: Cluster;
  readonly #cancelled = new AbortController();

  constructor(
    private readonly config: ProviderConfig,
    private readonly log: EngineLog,
  ) {
    this.#cluster = new Cluster(config.kubeconfig);
  }

  cancel(): void {
    this.#cancelled.abort();
  }

  /** The inputs with the name and namespace that the program left out. */
  async check(request: Check): Promise<Fields> {
    const { urn, inputs } = request;
    refuseUnsupported(urn, inputs);
    const named = withName(inputs, reveal<Fields>(request.oldInputs), request);
    const { namespace, ...metadata } = named.metadata as Metadata;
    if ((await this.#isNamespaced(kindOfUrn(urn))) === false) return { ...named, metadata };
    return { ...named, metadata: { ...metadata, namespace: namespace ?? this.config.namespace } };
  }

  diff(oldInputs: Fields, oldOutputs: Fields, newInputs: Fields): Difference {
    const before = plainInputs(oldInputs);
    const after = plainInputs(newInputs) as KubernetesObject;
    const paths = replacingPaths(after, this.config);
    const found = changes(before, after).map((change) => ({
      ...change,
      replaces: replaces(change, paths),
    }));
    return {
      changes: found,
      deleteBeforeReplace:
        found.some((change) => change.replaces) &&
        deletesBeforeReplace(after, fromOutputs(oldOutputs).live),
    };
  }

  async create({ urn, inputs: marked, preview, timeoutSeconds }: Create) {
    if (preview && hasUnknowns(marked)) return { id: "", outputs: marked };
    const inputs = plainInputs(marked) as KubernetesObject;
    const log = this.log.for(urn);
    const fieldManager =
      annotation(inputs, "patchFieldManager") ?? `pulumi-kubernetes-${randomSuffix()}`;
    try {
      const live = await this.#make(inputs, fieldManager, preview, log, timeoutSeconds);
      if (preview) {
        // What the dry run says of status is made up; without it the engine takes it for unknown.
        const { status, ...foreseen } = live;
        const state = { live: foreseen as KubernetesObject, inputs, fieldManager };
        return { id: "", outputs: toOutputs(state, marked) };
      }
      const state = { live, inputs, fieldManager };
      return {
        id: identifier(live),
        outputs: await this.#finish(state, marked, log, timeoutSeconds),
      };
    } catch (error) {
      if (preview && isBeyondPreview(error, log)) return { id: "", outputs: marked };
      throw error;
    }
  }

  async update(request: Update): Promise<Fields> {
    const { urn, inputs: marked, preview } = request;
    if (preview && hasUnknowns(marked)) return marked;
    const log = this.log.for(urn);
    try {
      const old = fromOutputs(request.oldOutputs);
      const inputs = plainInputs(marked) as KubernetesObject;
      const fieldManager = annotation(inputs, "patchFieldManager") ?? old.fieldManager;
      const current = await this.#cluster.get(old.live);
      const managedFields = takeOver(current.metadata.managedFields, fieldManager);
      if (managedFields && !preview) {
        await this.#cluster.merge(current, { metadata: { managedFields } });
      }
      const ignored = request.ignoreChanges.map(parsePath);
      const desired = ignored.reduce((object, path) => withValueOf(object, current, path), inputs);
      const live = await this.#cluster.apply(
        desired,
        {
          fieldManager,
          // A preview takes nothing over, so it must not stumble over that.
          force: this.#forces(inputs) || (preview && managedFields !== undefined),
          dryRun: preview,
        },
        (text) => log.warning(text),
      );
      const state = { live, inputs, fieldManager };
      if (preview) return toOutputs(state, marked);
      return await this.#finish(state, marked, log, request.timeoutSeconds);
    } catch (error) {
      if (preview && isBeyondPreview(error, log)) return marked;
      throw error;
    }
  }

  /** @returns undefined when there is no such object */
  async read({ urn, id, inputs: marked, outputs }: Read) {
    const known = plainInputs(marked);
    const reference = {
      ...kindOfUrn(urn),
      ...known,
      metadata: parseIdentifier(id),
    } as KubernetesObject;
    const live = await this.#cluster.find(reference);
    if (!live) return undefined;
    const isImport = known.kind === undefined;
    const fieldManager = fromOutputs(outputs).fieldManager ?? `pulumi-kubernetes-${randomSuffix()}`;
    const inputs = isImport ? importedInputs(live) : await this.#drift(known, live, fieldManager);
    const state = {
      outputs: toOutputs({ live, inputs, fieldManager }, marked),
      inputs: toInputs(inputs, marked),
    };
    if (isImport || skipsAwait(inputs)) return state;
    const verdict = await judge(this.#cluster, live);
    if (verdict.state === "ready") return state;
    throw new NotReadyError(id, state.outputs, [`not ready: ${verdict.reason}`], state.inputs);
  }

  async delete({ urn, outputs, timeoutSeconds }: Delete): Promise<void> {
    const { live, inputs } = fromOutputs(outputs);
    const policy = annotation(inputs, "deletionPropagationPolicy") ?? "Foreground";
    await this.#cluster.remove(live, policy);
    if (skipsAwait(inputs)) return;
    await untilGone(live, this.#wait(inputs, this.log.for(urn), timeoutSeconds));
  }

  /** Makes an object that doesn't exist yet, waiting a little for a namespace or kind on its way. */
  async #make(
    inputs: KubernetesObject,
    fieldManager: string,
    preview: boolean,
    log: ResourceLog,
    timeoutSeconds: number,
  ): Promise<KubernetesObject> {
    const options = { fieldManager, force: this.#forces(inputs), dryRun: preview };
    for (let attempt = 0; ; attempt++) {
      try {
        const existing = await this.#cluster.find(inputs);
        if (existing?.metadata.deletionTimestamp && !preview) {
          await untilGone(existing, this.#wait(inputs, log, timeoutSeconds));
        } else if (existing && !this.config.upsertExistingObjects) {
          throw new ExistsError(inputs);
        }
        return await this.#cluster.apply(inputs, options, (text) => log.warning(text));
      } catch (error) {
        const isEarly = error instanceof UnknownKindError || isWithoutNamespace(error);
        if (!isEarly || preview || attempt === 5 || this.#cancelled.signal.aborted) throw error;
        log.problem((error as Error).message);
        const { signal } = this.#cancelled;
        await sleep(1_000 * 2 ** attempt, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Waits until the object is ready. */
  async #finish(
    { live: applied, inputs, fieldManager }: State,
    marked: Fields,
    log: ResourceLog,
    timeoutSeconds: number,
  ): Promise<Fields> {
    const { live, reasons } = skipsAwait(inputs)
      ? { live: applied, reasons: [] }
      : await untilReady(applied, this.#wait(inputs, log, timeoutSeconds));
    const outputs = toOutputs({ live, inputs, fieldManager }, marked);
    if (reasons.length > 0) throw new NotReadyError(identifier(live), outputs, reasons);
    return outputs;
  }

  /** The inputs with whatever was changed in the cluster behind Pulumi's back. */
  async #drift(inputs: Fields, live: KubernetesObject, fieldManager: string): Promise<Fields> {
    try {
      const options = { fieldManager, force: true, dryRun: true };
      const applied = await this.#cluster.apply(inputs as KubernetesObject, options);
      return liveInputs(inputs, applied, live);
    } catch (error) {
      // Without leave to change it, say: compare as well as can be done from here.
      if (error instanceof ApiError) return liveInputs(inputs, inputs, live);
      throw error;
    }
  }

  async #isNamespaced(kind: { apiVersion: string; kind: string }): Promise<boolean | undefined> {
    return await this.#cluster.isNamespaced(kind).catch((error) => {
      // A preview goes on without the cluster; what follows says that it can't be reached.
      if (error instanceof UnreachableError) return undefined;
      throw error;
    });
  }

  #forces(inputs: Fields): boolean {
    return this.config.enablePatchForce || annotation(inputs, "patchForce") === "true";
  }

  #wait(inputs: Fields, log: ResourceLog, timeoutSeconds: number): Wait {
    return {
      cluster: this.#cluster,
      log,
      signal: this.#cancelled.signal,
      timeoutSeconds: timeoutSeconds || Number(annotation(inputs, "timeoutSeconds")) || 600,
    };
  }
}

function refuseUnsupported(urn: string, inputs: Fields): void {
  const { apiVersion, kind } = kindOfUrn(urn);
  const isPatch = kind === `${inputs.kind}Patch`;
  const isList = kind.endsWith("List") && inputs.items !== undefined;
  if (isPatch || isList || apiVersion.startsWith("helm.sh/")) {
    throw new Error(
      `${kind} needs the official Kubernetes plugin. ` +
        "Write the resources out one by one, as their own types",
    );
  }
}

/** Whether a dry run failed for a reason that need not hold in the update itself. */
function isBeyondPreview(error: unknown, log: ResourceLog): boolean {
  if (error instanceof UnreachableError) log.warning(error.message);
  if (error instanceof ApiError) {
    const { code, message = "" } = error.status;
    const isWebhook = /does not support dry run|failed calling webhook/.test(message);
    return code === 403 || isWebhook || isWithoutNamespace(error);
  }
  return [ExistsError, UnknownKindError, UnreachableError].some((type) => error instanceof type);
}

function isWithoutNamespace(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    error.status.code === 404 &&
    error.status.details?.kind === "namespaces"
  );
}

/** The object with the value that another one has at a path. */
function withValueOf<T>(object: T, other: unknown, [step, ...rest]: Path): T {
  if (step === undefined) return (other ?? object) as T;
  const value = (other as Fields | undefined)?.[step];
  if (value === undefined || typeof object !== "object" || object === null) return object;
  const copy = (Array.isArray(object) ? [...object] : { ...object }) as Fields;
  copy[step] = withValueOf(copy[step], value, rest);
  return copy as T;
}
