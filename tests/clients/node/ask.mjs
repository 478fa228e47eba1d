// Asks one question: node ask.mjs ADDRESS STUBS QUESTION
import { createClient, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { toJson } from "@bufbuild/protobuf";
import { pathToFileURL } from "node:url";

const [address, stubs, question] = process.argv.slice(2);
const { EnsembleService, AskResponseSchema } = await import(
  pathToFileURL(`${stubs}/gremium/v1/ensemble_pb.js`)
);
const { Role } = await import(pathToFileURL(`${stubs}/gremium/v1/types_pb.js`));

const client = createClient(
  EnsembleService,
  createGrpcTransport({ baseUrl: `http://${address}` }),
);

try {
  const reply = await client.ask(
    {
      prompt: {
        messages: [
          { role: Role.USER, parts: [{ kind: { case: "text", value: question } }] },
        ],
      },
      labels: { client: "node" },
    },
    { timeoutMs: 60_000 },
  );
  console.log(JSON.stringify(toJson(AskResponseSchema, reply)));
  process.exit(0);
} catch (err) {
  const failure = ConnectError.from(err);
  console.log(JSON.stringify({ code: failure.code, message: failure.rawMessage }));
  process.exit(1);
}
