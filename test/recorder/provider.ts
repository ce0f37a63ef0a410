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
import { outputsOf } from "./outputs";

/**
 * A stand-in for every provider: it takes all inputs, makes nothing and answers at once with what
 * it was given. What remains of a preview is the engine and the program.
 */
export class Recorder {
  /** When the engine first asked for anything, in ms since 1970. */
  firstRequest = 0;
  readonly #server = new Server();

  private constructor() {
    const echo = handle((request: rpc.CheckRequest) =>
      new rpc.CheckResponse().setInputs(request.getNews()),
    );
    const unchanged = handle((request: rpc.DiffRequest) => {
      const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
      const same = text(request.getOldInputs()) === text(request.getNews());
      return new rpc.DiffResponse().setChanges(same ? DIFF_NONE : DIFF_SOME);
    });
    const methods: Record<string, UntypedHandleCall> = {
      handshake: handle(() => new rpc.ProviderHandshakeResponse().setAcceptSecrets(true)),
      attach: handle(() => new Empty()),
      // As high as any SDK asks for.
      getPluginInfo: handle(() => new PluginInfo().setVersion("1000.0.0")),
      checkConfig: handle((request: rpc.CheckRequest) => {
        this.firstRequest ||= Date.now();
        return new rpc.CheckResponse().setInputs(request.getNews());
      }),
      diffConfig: unchanged,
      configure: handle(() =>
        new rpc.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true),
      ),
      check: echo,
      diff: unchanged,
      create: handle((request: rpc.CreateRequest) => {
        const name = request.getUrn().split("::")[3] as string;
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
      delete: handle(() => new Empty()),
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
