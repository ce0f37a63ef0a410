// OpenAI's own Node client, unchanged; prints what it got as one line of JSON.

import OpenAI, { AuthenticationError, BadRequestError, InternalServerError, toFile } from "openai";

const client = new OpenAI({ maxRetries: 0 });
const size = "256x256";
const { images } = client;

/** Awaits a refusal. @returns what the client makes of it */
async function refusal(kind, request) {
  const error = await request.then(
    () => undefined,
    (reason) => reason,
  );
  const { type, param, code } = error ?? {};
  return { known: error instanceof kind, type, param, code };
}

const base64 = await images.generate({ prompt: "a cat", n: 2, size, response_format: "b64_json" });
const linked = await images.generate({ prompt: "a cat", size });
const picture = await fetch(linked.data[0].url);
const { data: used, response } = await images.generate({ prompt: "a cat", size }).withResponse();
const large = await toFile(Buffer.alloc(4_000_000), "large.png", { type: "image/png" });
const drawn = await toFile(Buffer.from(base64.data[0].b64_json, "base64"), "drawn.png", {
  type: "image/png",
});
const edit = { image: [drawn], mask: drawn, prompt: "a hat", n: 2, model: "gpt-image-2" };
const edited = await images.edit(edit);
// Fields that are not OpenAI's are sent as they are.
const loras = [{ name: "ink", weight: 0.5 }];
const byLora = await images.generate({ prompt: "a cat", size, loras }).withResponse();
const editedByLora = await images.edit({ ...edit, loras }).withResponse();
const models = [];
for await (const model of client.models.list()) models.push(model.id);
const events = [];
const streamed = { prompt: "slow 0.03", size, quality: "low", stream: true, partial_images: 2 };
for await (const event of await images.generate(streamed)) {
  events.push([event.type, event.partial_image_index, event.size, event.b64_json.length > 0]);
}

console.log(
  JSON.stringify({
    base64: base64.data.map((image) => image.b64_json),
    type: picture.headers.get("content-type"),
    events,
    usage: used.usage,
    taskId: response.headers.get("x-task-id"),
    models,
    byLora: [byLora, editedByLora].map(({ response }) => response.headers.get("x-task-id")),
    wrongLora: await refusal(
      BadRequestError,
      images.generate({ prompt: "a cat", size, loras: [{ name: "oil" }] }),
    ),
    wrongKey: await refusal(
      AuthenticationError,
      client.withOptions({ apiKey: "wrong" }).images.generate({ prompt: "a cat" }),
    ),
    wrongSize: await refusal(
      BadRequestError,
      images.generate({ prompt: "a cat", size: "100x100" }),
    ),
    edits: edited.data.map((image) => image.b64_json),
    edit: await refusal(BadRequestError, images.edit({ image: large, prompt: "a hat" })),
    failing: await refusal(
      InternalServerError,
      client.withOptions({ maxRetries: 2 }).images.generate({ prompt: "out of memory", size }),
    ),
    variation: await refusal(BadRequestError, images.createVariation({ image: large })),
  }),
);
