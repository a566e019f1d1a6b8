// Calls aggd by the generated client, as Connect JSON and as gRPC, and prints what a caller sees.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { CommandService, QueryService } from "./gen/aggregate/v1/command_pb.js";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";

const [baseUrl, id] = process.argv.slice(2);
const transports = {
  connect: createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  grpc: createGrpcTransport({ baseUrl }),
  web: createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
};
const headers = { "x-tenant-id": "acme" };
const out = {};

for (const [name, transport] of Object.entries(transports)) {
  const commands = createClient(CommandService, transport);
  const queries = createClient(QueryService, transport);
  const submit = (payloadJson) => commands.submitCommand({ aggregateType: "Account", aggregateId: id, payloadJson }, { headers });
  const r = { versions: [] };
  if (name === "connect") r.versions.push(String((await submit('{"type":"open_account","initial_balance":0}')).version));
  const deposited = await submit('{"type":"deposit","amount":9007199254740993}');
  r.versions.push(String(deposited.version));
  r.payload = deposited.events[0].payloadJson;
  try {
    await submit('{"type":"withdraw","amount":90071992547409930000}');
  } catch (e) {
    const err = ConnectError.from(e);
    const info = err.findDetails(ErrorInfoSchema)[0];
    r.refused = { code: Code[err.code], message: err.rawMessage, reason: info?.reason, domain: info?.domain, commandId: info?.metadata.command_id };
  }
  const state = await queries.getState({ aggregateType: "Account", aggregateId: id }, { headers });
  r.state = state.stateJson;
  r.events = [];
  for await (const e of queries.listEvents({ aggregateType: "Account", aggregateId: id, afterVersion: 1n }, { headers })) r.events.push(e.event.payloadJson);
  out[name] = r;
}
console.log(JSON.stringify(out));
