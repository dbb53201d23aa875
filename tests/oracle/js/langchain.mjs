// LangChain's ChatOpenAI against POST /v1/chat/completions.
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { concat } from "@langchain/core/utils/stream";
import { ChatOpenAI } from "@langchain/openai";

import { PROMPT, RESULT, WEATHER, failures, judge, play, until } from "./harness.mjs";

const messages = [new HumanMessage(PROMPT)];
const tools = [{ type: "function", function: { name: WEATHER.name, description: WEATHER.description, parameters: WEATHER.schema } }];

function chat({ base, model }, headers) {
  return new ChatOpenAI({ model, apiKey: "none", maxRetries: 0, configuration: { baseURL: `${base}/v1`, defaultHeaders: headers } });
}

async function gathered(stream) {
  let whole;
  for await (const chunk of stream) whole = whole === undefined ? chunk : concat(whole, chunk);
  return whole;
}

function asked(at, headers) {
  return until(async (seen) => {
    for await (const chunk of await chat(at, headers).stream(messages)) {
      seen.text += chunk.content;
      seen.finish = chunk.response_metadata.finish_reason ?? seen.finish;
      seen.usage = chunk.usage_metadata ?? seen.usage;
    }
  });
}

async function toolLoop(at) {
  const model = chat(at, play("tool_then_answer")).bindTools(tools);
  const first = await gathered(await model.stream(messages));
  const results = first.tool_calls.map((call) => new ToolMessage({ tool_call_id: call.id, content: RESULT }));
  const second = await gathered(await model.stream([...messages, first, ...results]));
  return {
    finish: first.response_metadata.finish_reason,
    calls: first.tool_calls.map((call) => ({ name: call.name, arguments: call.args })),
    second: second.content,
    secondFinish: second.response_metadata.finish_reason,
  };
}

async function parallel(at) {
  const said = await gathered(await chat(at, play("tools")).bindTools(tools).stream(messages));
  return { text: said.content, calls: said.tool_calls.map((call) => call.args) };
}

await judge({
  text: (at) => asked(at, play("chinese")),
  whole: async (at) => {
    const said = await chat(at, play("chinese")).invoke(messages);
    return { text: said.content, finish: said.response_metadata.finish_reason, usage: said.usage_metadata };
  },
  tools: toolLoop,
  parallel,
  ...failures(asked),
});
