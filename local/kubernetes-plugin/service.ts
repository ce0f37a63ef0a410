import {
  status as codes,
  Metadata,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { version } from "@pulumi/kubernetes/package.json";
import type { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { checkConfig, diffConfig, parseConfig } from "./config";
import { pathText } from "./diff";
import { EngineLog } from "./engine";
import { NotReadyError } from "./errors";
import type { Autonaming } from "./naming";
import { nameOfUrn } from "./objects";
import { decode, encode, reveal } from "./properties";
import { type Difference, Provider } from "./provider";

/** One engine's connection: several can share a plugin that they attach to. */
interface Session {
  engineAddress: string | undefined;
  provider?: Provider;
}

/**
 * Pulumi's resource provider protocol, put into the provider's own terms.
 * @param engineAddress where the engine listens that started this plugin; none when it attaches
 */
export function providerService(engineAddress?: string): UntypedServiceImplementation {
  const sessions = new Map<string, Session>();

  function handle<Request, Response>(
    handler: (request: Request, session: Session) => Response | Promise<Response>,
  ) {
    return async (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => {
      const peer = call.getPeer();
      const session = sessions.get(peer) ?? { engineAddress };
      sessions.set(peer, session);
      try {
        done(null, await handler(call.request, session));
      } catch (error) {
        done(serviceError(error as Error));
      }
    };
  }

  return {
    handshake: handle((request: rpc.ProviderHandshakeRequest, session) => {
      session.engineAddress = request.getEngineAddress();
      return new rpc.ProviderHandshakeResponse()
        .setAcceptSecrets(true)
        .setSupportsAutonamingConfiguration(true);
    }),

    attach: handle((request: PluginAttach, session) => {
      session.engineAddress = request.getAddress();
      return new Empty();
    }),

    getPluginInfo: handle(() => new PluginInfo().setVersion(version)),

    checkConfig: handle((request: rpc.CheckRequest) => {
      const failures = checkConfig(reveal(decode(request.getNews()))).map(({ property, reason }) =>
        new rpc.CheckFailure().setProperty(property).setReason(reason),
      );
      return new rpc.CheckResponse().setInputs(request.getNews()).setFailuresList(failures);
    }),

    diffConfig: handle((request: rpc.DiffRequest) => {
      const { diffs, replaces } = diffConfig(
        reveal(decode(request.getOldInputs() ?? request.getOlds())),
        reveal(decode(request.getNews())),
      );
      return new rpc.DiffResponse()
        .setChanges(changed(diffs.length > 0))
        .setDiffsList(diffs)
        .setReplacesList(replaces);
    }),

    configure: handle((request: rpc.ConfigureRequest, session) => {
      const prefix = "kubernetes:config:";
      const options = Object.fromEntries(
        request
          .getVariablesMap()
          .toArray()
          .map(([key, value]) => [key.slice(prefix.length), value]),
      );
      session.provider = new Provider(parseConfig(options), new EngineLog(session.engineAddress));
      return new rpc.ConfigureResponse()
        .setAcceptsecrets(true)
        .setSupportspreview(true)
        .setSupportsAutonamingConfiguration(true);
    }),

    check: handle(async (request: rpc.CheckRequest, session) => {
      const inputs = await configured(session).check({
        urn: request.getUrn(),
        logicalName: nameOfUrn(request.getUrn()),
        oldInputs: decode(request.getOlds()),
        inputs: decode(request.getNews()),
        randomSeed: request.getRandomseed_asU8(),
        autonaming: autonaming(request.getAutonaming()),
      });
      return new rpc.CheckResponse().setInputs(encode(inputs));
    }),

    diff: handle((request: rpc.DiffRequest, session) =>
      diffResponse(
        configured(session).diff(
          decode(request.getOldInputs()),
          decode(request.getOlds()),
          decode(request.getNews()),
        ),
      ),
    ),

    create: handle(async (request: rpc.CreateRequest, session) => {
      const { id, outputs } = await configured(session).create({
        urn: request.getUrn(),
        inputs: decode(request.getProperties()),
        preview: request.getPreview(),
        timeoutSeconds: request.getTimeout(),
      });
      return new rpc.CreateResponse().setId(id).setProperties(encode(outputs));
    }),

    update: handle(async (request: rpc.UpdateRequest, session) => {
      const outputs = await configured(session).update({
        urn: request.getUrn(),
        oldOutputs: decode(request.getOlds()),
        inputs: decode(request.getNews()),
        ignoreChanges: request.getIgnorechangesList(),
        preview: request.getPreview(),
        timeoutSeconds: request.getTimeout(),
      });
      return new rpc.UpdateResponse().setProperties(encode(outputs));
    }),

    read: handle(async (request: rpc.ReadRequest, session) => {
      const response = new rpc.ReadResponse();
      const state = await configured(session).read({
        urn: request.getUrn(),
        id: request.getId(),
        inputs: decode(request.getInputs()),
        outputs: decode(request.getProperties()),
      });
      // An empty ID says that it is gone.
      if (!state) return response;
      return response
        .setId(request.getId())
        .setProperties(encode(state.outputs))
        .setInputs(encode(state.inputs));
    }),

    delete: handle(async (request: rpc.DeleteRequest, session) => {
      await configured(session).delete({
        urn: request.getUrn(),
        outputs: decode(request.getProperties()),
        timeoutSeconds: request.getTimeout(),
      });
      return new Empty();
    }),

    cancel: handle((_: Empty, session) => {
      session.provider?.cancel();
      return new Empty();
    }),

    invoke: handle((request: rpc.InvokeRequest) => unsupported(`the function ${request.getTok()}`)),
    call: handle((request: rpc.CallRequest) => unsupported(`the method ${request.getTok()}`)),
    construct: handle((request: rpc.ConstructRequest) =>
      unsupported(`the component ${request.getType()}`),
    ),
    getSchema: handle(() => unsupported("the package's schema")),
    parameterize: handle(() => unsupported("parameterization")),
    getMapping: handle(() => new rpc.GetMappingResponse()),
    getMappings: handle(() => new rpc.GetMappingsResponse()),
  };
}

function configured({ provider }: Session): Provider {
  if (!provider) throw new Error("the engine has not configured this provider");
  return provider;
}

function unsupported(what: string): never {
  const error = new Error(
    `${what} needs the official Kubernetes plugin; this stand-in serves typed resources only`,
  );
  throw Object.assign(error, { code: codes.UNIMPLEMENTED });
}

function autonaming(
  options: rpc.CheckRequest.AutonamingOptions | undefined,
): Autonaming | undefined {
  if (!options) return undefined;
  return options.getMode() === rpc.CheckRequest.AutonamingOptions.Mode.DISABLE
    ? { mode: "disabled" }
    : { mode: "proposed", name: options.getProposedName() };
}

function changed(is: boolean): rpc.DiffResponse.DiffChanges {
  const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
  return is ? DIFF_SOME : DIFF_NONE;
}

function diffResponse({ changes, deleteBeforeReplace }: Difference): rpc.DiffResponse {
  const { Kind } = rpc.PropertyDiff;
  const kinds = { add: Kind.ADD, update: Kind.UPDATE, delete: Kind.DELETE };
  const replacingKinds = {
    add: Kind.ADD_REPLACE,
    update: Kind.UPDATE_REPLACE,
    delete: Kind.DELETE_REPLACE,
  };
  const response = new rpc.DiffResponse()
    .setChanges(changed(changes.length > 0))
    .setHasdetaileddiff(true)
    .setDeletebeforereplace(deleteBeforeReplace);
  for (const { path, kind, replaces } of changes) {
    const difference = new rpc.PropertyDiff()
      .setKind((replaces ? replacingKinds : kinds)[kind])
      .setInputdiff(true);
    response.getDetaileddiffMap().set(pathText(path), difference);
    if (replaces) response.addReplaces(pathText(path));
  }
  return response;
}

function serviceError(error: Error & { code?: number }): Partial<ServiceError> {
  const metadata = new Metadata();
  if (error instanceof NotReadyError) {
    const detail = new rpc.ErrorResourceInitFailed()
      .setId(error.id)
      .setProperties(encode(error.outputs))
      .setReasonsList(error.reasons);
    if (error.inputs) detail.setInputs(encode(error.inputs));
    const status = new Status().setCode(codes.UNKNOWN).setMessage(error.message);
    status.addDetails().pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    metadata.set("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  }
  const code = typeof error.code === "number" ? error.code : codes.UNKNOWN;
  return { code, details: error.message, metadata };
}
