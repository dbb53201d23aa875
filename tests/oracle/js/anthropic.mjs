// The @anthropic-ai/sdk against POST /v1/messages.
import Anthropic from "@anthropic-ai/sdk";

import { PROMPT, RESULT, WEATHER, failures, judge, play, until, wentUp } from "./harness.mjs";

const messages = [{ role: "user", content: PROMPT }];
const tools = [{ name: WEATHER.name, description: WEATHER.description, input_schema: WEATHER.schema }];
const max_tokens = 4000;

function client(base, headers = {}) {
  return new Anthropic({ baseURL: base, apiKey: "none", maxRetries: 0, defaultHeaders: headers });
}

function texts(message, kind = "text", key = "text") {
  return message.content.filter((block) => block.type === kind).map((block) => block[key]).join("");
}

function asked({ base, model }, headers) {
  return until(async (seen) => {
    const stream = client(base, headers).messages.stream({ model, max_tokens, messages });
    stream.on("text", (piece) => (seen.text += piece));
    const message = await stream.finalMessage();
    Object.assign(seen, { finish: message.stop_reason, usage: message.usage, whole: texts(message) });
  });
}

async function toolLoop({ base, model }) {
  const api = client(base, play("tool_then_answer")).messages;
  const first = await api.stream({ model, max_tokens, messages, tools }).finalMessage();
  const calls = first.content.filter((block) => block.type === "tool_use");
  const results = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: RESULT }));
  const talk = [...messages, { role: "assistant", content: first.content }, { role: "user", content: results }];
  const second = await api.stream({ model, max_tokens, messages: talk, tools }).finalMessage();
  return {
    finish: first.stop_reason,
    calls: calls.map((call) => ({ name: call.name, arguments: call.input })),
    second: texts(second),
    secondFinish: second.stop_reason,
  };
}

async function thinking({ base, model }) {
  const api = client(base, play("reasoning")).messages;
  const options = { model, max_tokens, thinking: { type: "enabled", budget_tokens: 1024 } };
  const first = await api.stream({ ...options, messages }).finalMessage();
  const talk = [...messages, { role: "assistant", content: first.content }, { role: "user", content: "And then?" }];
  const second = await api.stream({ ...options, messages: talk }).finalMessage();
  const signature = texts(first, "thinking", "signature");
  const returned = await wentUp(base, signature);
  return { text: texts(first), reasoning: texts(first, "thinking", "thinking"), signature, second: texts(second), returned };
}

async function parallel({ base, model }) {
  const message = await client(base, play("tools")).messages.stream({ model, max_tokens, messages, tools }).finalMessage();
  return { text: texts(message), calls: message.content.filter((block) => block.type === "tool_use").map((call) => call.input) };
}

await judge({
  text: (at) => asked(at, play("chinese")),
  reasoning: thinking,
  whole: async ({ base, model }) => {
    const message = await client(base, play("chinese")).messages.create({ model, max_tokens, messages });
    return { text: texts(message), finish: message.stop_reason, usage: message.usage };
  },
  tools: toolLoop,
  parallel,
  models: async ({ base }) => (await client(base).models.list()).data.map((row) => row.id),
  ...failures(asked),
});
