// The openai SDK on Responses that are kept: in the background, asked for, gone on with, cancelled, deleted; and its retries.
import { createServer, connect } from "node:net";

import OpenAI from "openai";

const [base, model] = process.argv.slice(2);
const api = new OpenAI({ baseURL: `${base}/v1`, apiKey: "none", maxRetries: 0 });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function refused(asking) {
  try {
    await asking;
    return null;
  } catch (error) {
    return { threw: error.constructor.name, status: error.status, code: error.code ?? null };
  }
}

async function polled() {
  const begun = await api.responses.create({ model, input: "made while nobody waits", background: true });
  let response = begun;
  while (response.status === "queued" || response.status === "in_progress") {
    await pause(30);
    response = await api.responses.retrieve(begun.id);
  }
  const next = await api.responses.create({ model, input: "and the next turn", previous_response_id: begun.id });
  const items = await api.responses.inputItems.list(next.id, { order: "asc" });
  await api.responses.delete(begun.id);
  return {
    begun: begun.status,
    status: response.status,
    text: response.output_text,
    next: next.output_text,
    items: items.data.map((item) => item.content[0].text),
    deleted: await refused(api.responses.retrieve(begun.id)),
    unknown: await refused(api.responses.create({ model, input: "x", previous_response_id: begun.id })),
  };
}

/** The stream is left in its midst, and read on from behind the last event. */
async function goneOn() {
  const seen = [];
  const stream = await api.responses.create({ model, input: "a text of some words", background: true, stream: true });
  for await (const event of stream) {
    seen.push(event);
    if (event.type === "response.output_text.delta") break;
  }
  const id = seen[0].response.id;
  const rest = await api.responses.retrieve(id, { stream: true, starting_after: seen.at(-1).sequence_number });
  for await (const event of rest) seen.push(event);
  return {
    numbers: seen.every((event, at) => event.sequence_number === at),
    text: seen.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta).join(""),
    whole: seen.at(-1).response.output_text ?? seen.at(-1).response.output.at(-1).content[0].text,
    type: seen.at(-1).type,
  };
}

async function cancelled() {
  const begun = await api.responses.create({ model, input: "a text that is not said to its end, as it is stopped", background: true });
  await pause(200);
  const stopped = await api.responses.cancel(begun.id);
  return { status: stopped.status, again: (await api.responses.retrieve(begun.id)).status };
}

/** The first connection is cut when the request has come; the SDK tries again by itself. */
async function retried() {
  const { hostname, port } = new URL(base);
  let connections = 0;
  const server = createServer((socket) => {
    const far = connect(Number(port), hostname);
    connections += 1;
    if (connections === 1) {
      socket.once("data", () => setTimeout(() => { socket.destroy(); far.destroy(); }, 150));
      far.on("data", () => {});
    } else far.pipe(socket);
    socket.pipe(far);
    for (const end of [socket, far]) end.on("error", () => {});
    socket.on("close", () => far.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const through = new OpenAI({ baseURL: `http://127.0.0.1:${server.address().port}/v1`, apiKey: "none", maxRetries: 2 });
  const done = await through.chat.completions.create({ model, messages: [{ role: "user", content: "asked again by the SDK" }] });
  server.closeAllConnections?.();
  server.close();
  return { text: done.choices[0].message.content, connections };
}

const told = { polled: await polled(), goneOn: await goneOn(), cancelled: await cancelled(), retried: await retried() };
console.log(JSON.stringify(told));
process.exit(0);
