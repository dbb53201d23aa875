// The openai SDK against POST /v1/chat/completions.
import OpenAI from "openai";

import { PROMPT, RESULT, WEATHER, failures, judge, play, until } from "./harness.mjs";

const messages = [{ role: "user", content: PROMPT }];
const tools = [{ type: "function", function: { name: WEATHER.name, description: WEATHER.description, parameters: WEATHER.schema } }];

function client(base, headers = {}) {
  return new OpenAI({ baseURL: `${base}/v1`, apiKey: "none", maxRetries: 0, defaultHeaders: headers });
}

async function streamed(stream, seen) {
  for await (const chunk of stream) {
    for (const choice of chunk.choices) {
      seen.text += choice.delta.content ?? "";
      seen.reasoning = (seen.reasoning ?? "") + (choice.delta.reasoning_content ?? "");
      seen.finish = choice.finish_reason ?? seen.finish;
    }
    seen.usage = chunk.usage ?? seen.usage;
  }
}

function asked({ base, model }, headers) {
  return until(async (seen) => {
    const options = { model, messages, stream: true, stream_options: { include_usage: true } };
    await streamed(await client(base, headers).chat.completions.create(options), seen);
  });
}

async function toolLoop({ base, model }) {
  const api = client(base, play("tool_then_answer")).chat.completions;
  const first = await api.stream({ model, messages, tools }).finalChatCompletion();
  const { message, finish_reason } = first.choices[0];
  const results = message.tool_calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: RESULT }));
  const second = await api.stream({ model, messages: [...messages, message, ...results], tools }).finalChatCompletion();
  return {
    finish: finish_reason,
    calls: message.tool_calls.map((call) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) })),
    second: second.choices[0].message.content,
    secondFinish: second.choices[0].finish_reason,
  };
}

async function parallel({ base, model }) {
  const done = await client(base, play("tools")).chat.completions.stream({ model, messages, tools }).finalChatCompletion();
  const { message } = done.choices[0];
  return { text: message.content, calls: message.tool_calls.map((call) => JSON.parse(call.function.arguments)) };
}

await judge({
  text: (at) => asked(at, play("chinese")),
  reasoning: (at) => asked(at, play("reasoning")),
  whole: async ({ base, model }) => {
    const done = await client(base, play("chinese")).chat.completions.create({ model, messages });
    return { text: done.choices[0].message.content, finish: done.choices[0].finish_reason, usage: done.usage };
  },
  tools: toolLoop,
  parallel,
  models: async ({ base }) => (await client(base).models.list()).data.map((row) => row.id),
  ...failures(asked),
});
