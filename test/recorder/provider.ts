import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { reveal } from "../../local/kubernetes-plugin/properties";
import { replacedBy } from "../upgrade/replacement";
import { outputsOf } from "./outputs";

/** What a provider was asked to make. */
interface Made {
  name: string;
  type: string;
}

/**
 * A stand-in for every provider: it takes all inputs, makes nothing and answers at once with what
 * it was given, by the providers' rules of what a change replaces. What remains of a preview is the
 * engine and the program.
 */
export class Recorder {
  /** What was made and not deleted. */
  readonly made: Made[] = [];
  /** What was deleted, also to be replaced. */
  readonly deleted: Made[] = [];
  /** When the engine first asked for anything, in ms since 1970. */
  firstRequest = 0;
  readonly #server = new Server();

  private constructor() {
    const echo = handle((request: rpc.CheckRequest) =>
      new rpc.CheckResponse().setInputs(request.getNews()),
    );
    const methods: Record<string, UntypedHandleCall> = {
      handshake: handle(() => new rpc.ProviderHandshakeResponse().setAcceptSecrets(true)),
      attach: handle(() => new Empty()),
      // As high as any SDK asks for.
      getPluginInfo: handle(() => new PluginInfo().setVersion("1000.0.0")),
      checkConfig: handle((request: rpc.CheckRequest) => {
        this.firstRequest ||= Date.now();
        return new rpc.CheckResponse().setInputs(request.getNews());
      }),
      diffConfig: handle(changesOf),
      configure: handle(() =>
        new rpc.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true),
      ),
      check: echo,
      diff: handle((request: rpc.DiffRequest) => {
        const { type } = resourceOf(request.getUrn());
        const [before, after] = [request.getOldInputs(), request.getNews()].map((inputs) => ({
          type,
          inputs: reveal<Record<string, unknown>>(inputs?.toJavaScript() ?? {}),
        })) as [Declared, Declared];
        const { name } = (after.inputs.metadata ?? {}) as { name?: string };
        return changesOf(request)
          .setReplacesList(replacedBy(before, after))
          .setDeletebeforereplace(name !== undefined);
      }),
      create: handle((request: rpc.CreateRequest) => {
        const { name, type } = resourceOf(request.getUrn());
        if (!request.getPreview()) this.made.push({ name, type });
        return new rpc.CreateResponse()
          .setId(`${name}-id`)
          .setProperties(withOutputs(name, request.getProperties()));
      }),
      update: handle((request: rpc.UpdateRequest) =>
        new rpc.UpdateResponse().setProperties(request.getNews()),
      ),
      read: handle((request: rpc.ReadRequest) =>
        new rpc.ReadResponse().setId(request.getId()).setProperties(request.getProperties()),
      ),
      delete: handle((request: rpc.DeleteRequest) => {
        const gone = resourceOf(request.getUrn());
        this.deleted.push(gone);
        const at = this.made.findIndex(
          ({ name, type }) => name === gone.name && type === gone.type,
        );
        this.made.splice(at, 1);
        return new Empty();
      }),
      cancel: handle(() => new Empty()),
      invoke: handle(() =>
        new rpc.InvokeResponse().setReturn(
          Struct.fromJavaScript({
            token: "the token",
            account: { id: "account" },
            userName: "AWS",
            password: "a password",
          }),
        ),
      ),
      getMapping: handle(() => new rpc.GetMappingResponse()),
      getMappings: handle(() => new rpc.GetMappingsResponse()),
    };
    this.#server.addService(ResourceProviderService, methods);
  }

  /** @returns the recorder, and what PULUMI_DEBUG_PROVIDERS has to be for engines to use it */
  static async start(): Promise<{ recorder: Recorder; attach: string }> {
    const recorder = new Recorder();
    const port = await new Promise<number>((resolve, reject) => {
      recorder.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, at) =>
        error ? reject(error) : resolve(at),
      );
    });
    const packages = ["kubernetes", "aws", "cloudflare", "docker"];
    return { recorder, attach: packages.map((name) => `${name}:${port}`).join(",") };
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

interface Declared {
  type: string;
  inputs: Record<string, unknown>;
}

function resourceOf(urn: string): Made {
  const [, , types = "", name = ""] = urn.split("::");
  return { name, type: types.split("$").at(-1) as string };
}

function changesOf(request: rpc.DiffRequest): rpc.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
  const same = text(request.getOldInputs()) === text(request.getNews());
  return new rpc.DiffResponse().setChanges(same ? DIFF_NONE : DIFF_SOME);
}

function handle<Request, Response>(answer: (request: Request) => Response): UntypedHandleCall {
  return (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) =>
    done(null, answer(call.request));
}

const text = (properties: Struct | undefined) => JSON.stringify(sorted(properties?.toJavaScript()));

/** The engine sends keys in any order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .map(([key, inner]) => [key, sorted(inner)])
    .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1));
}

function withOutputs(name: string, properties: Struct | undefined): Struct {
  const inputs = properties?.toJavaScript() ?? {};
  return Struct.fromJavaScript({
    ...outputsOf(name),
    ...inputs,
    // Kubernetes names what has no name.
    ...("metadata" in inputs && { metadata: { name, ...(inputs.metadata as object) } }),
  });
}
