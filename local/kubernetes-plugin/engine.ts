import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Messages to the person who runs Pulumi, shown at the resource that they are about. */
export class EngineLog {
  readonly #client: EngineClient | undefined;

  /** @param address the engine's; without one nothing is said */
  constructor(address: string | undefined) {
    if (address) this.#client = new EngineClient(address, credentials.createInsecure());
  }

  for(urn: string): ResourceLog {
    return new ResourceLog((severity, message, ephemeral) => {
      const request = new LogRequest();
      request.setSeverity(severity).setMessage(message).setUrn(urn).setEphemeral(ephemeral);
      // An engine that is gone needs no messages.
      this.#client?.log(request, () => {});
    });
  }
}

type Send = (severity: LogSeverity, message: string, ephemeral: boolean) => void;

export class ResourceLog {
  readonly #said = new Set<string>();
  #status = "";

  constructor(private readonly send: Send) {}

  /** Stays in the output. */
  warning(message: string): void {
    this.send(LogSeverity.WARNING, message, false);
  }

  /** What is being waited for; shown until the next one, or nothing more with "". */
  status(message: string): void {
    if (message !== this.#status) this.send(LogSeverity.INFO, message, true);
    this.#status = message;
  }

  /** What stands in the way, each once. */
  problem(message: string): void {
    if (!this.#said.has(message)) this.send(LogSeverity.WARNING, message, true);
    this.#said.add(message);
  }
}
