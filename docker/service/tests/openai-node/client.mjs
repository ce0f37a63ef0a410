// OpenAI's own Node client, unchanged; prints what it got as one line of JSON.

import OpenAI, { AuthenticationError, UnprocessableEntityError } from "openai";

const client = new OpenAI({ maxRetries: 0 });
const size = "256x256";
const { images } = client;

/** Awaits a refusal. @returns what the client makes of it */
async function refusal(kind, request) {
  const error = await request.then(
    () => undefined,
    (reason) => reason,
  );
  return { known: error instanceof kind, type: error?.type, param: error?.param };
}

const base64 = await images.generate({ prompt: "a cat", n: 2, size, response_format: "b64_json" });
const linked = await images.generate({ prompt: "a cat", size });
const picture = await fetch(linked.data[0].url);
const events = [];
for await (const event of await images.generate({ prompt: "a cat", size, stream: true })) {
  events.push(event.type);
}

console.log(
  JSON.stringify({
    base64: base64.data.map((image) => image.b64_json),
    type: picture.headers.get("content-type"),
    events,
    wrongKey: await refusal(
      AuthenticationError,
      client.withOptions({ apiKey: "wrong" }).images.generate({ prompt: "a cat" }),
    ),
    wrongSize: await refusal(
      UnprocessableEntityError,
      images.generate({ prompt: "a cat", size: "100x100" }),
    ),
  }),
);
