/**
 * A stand-in for the official Pulumi Kubernetes plugin, for places where that can't be had. Started
 * by the engine it gets the engine's address; started by hand it is attached to with
 * PULUMI_DEBUG_PROVIDERS=kubernetes:PORT. Either way it prints its port.
 */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { providerService } from "./service";

const server = new Server({
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
});
server.addService(ResourceProviderService, providerService(process.argv[2]));
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
