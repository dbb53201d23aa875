// The AI SDK's streamText with its openai-compatible provider, against POST /v1/chat/completions.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

import { PROMPT, RESULT, WEATHER, failures, judge, play, until } from "./harness.mjs";

const tools = {
  [WEATHER.name]: tool({ description: WEATHER.description, inputSchema: jsonSchema(WEATHER.schema), execute: async () => RESULT }),
};

function settings({ base, model }, headers, more = {}) {
  const provider = createOpenAICompatible({ name: "mainstem", baseURL: `${base}/v1`, apiKey: "none", includeUsage: true });
  return { model: provider(model), prompt: PROMPT, headers, maxRetries: 0, ...more };
}

function asked(at, headers) {
  return until(async (seen) => {
    const result = streamText({ ...settings(at, headers), onError: () => {} });
    for await (const part of result.fullStream) {
      if (part.type === "text-delta") seen.text += part.text;
      else if (part.type === "reasoning-delta") seen.reasoning = (seen.reasoning ?? "") + part.text;
      else if (part.type === "error") throw part.error;
      else if (part.type === "finish") Object.assign(seen, { finish: part.finishReason, usage: part.totalUsage });
    }
  });
}

async function toolLoop(at) {
  const result = streamText(settings(at, play("tool_then_answer"), { tools, stopWhen: stepCountIs(3) }));
  const [first, second] = await result.steps;
  return {
    finish: first.finishReason,
    calls: first.toolCalls.map((call) => ({ name: call.toolName, arguments: call.input })),
    second: second.text,
    secondFinish: second.finishReason,
  };
}

async function parallel(at) {
  const result = streamText(settings(at, play("tools"), { tools }));
  return { text: await result.text, calls: (await result.toolCalls).map((call) => call.input) };
}

await judge({
  text: (at) => asked(at, play("chinese")),
  reasoning: (at) => asked(at, play("reasoning")),
  whole: async (at) => {
    const { text, finishReason, usage } = await generateText(settings(at, play("chinese")));
    return { text, finish: finishReason, usage };
  },
  tools: toolLoop,
  parallel,
  ...failures(asked),
});
