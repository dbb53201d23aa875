// AG-UI's own client, on which CopilotKit's runtime is built, against POST /v1/ag-ui. It verifies the order of events, and each event is held
// to the protocol's schema besides.
import { HttpAgent } from "@ag-ui/client";
import { EventSchemas, RunAgentInputSchema } from "@ag-ui/core/schemas";

import { PROMPT, RESULT, WEATHER, failures, judge, play, until, wentUp } from "./harness.mjs";

const tools = [{ name: WEATHER.name, description: WEATHER.description, parameters: WEATHER.schema }];

function agentOf({ base, model }, headers) {
  const initialMessages = [{ id: "u1", role: "user", content: PROMPT }];
  return new HttpAgent({ url: `${base}/v1/ag-ui?model=${model}`, headers, initialMessages, threadId: "thread 1" });
}

/** One run, with every event looked at. What the client warns of is a fault of ours. */
async function run(agent, seen, more = {}) {
  const { warn } = console;
  seen.warnings = [];
  console.warn = (...said) => seen.warnings.push(said.map(String).join(" "));
  try {
    await agent.runAgent({ runId: "run 1", ...more }, {
      onRunInitialized: ({ input }) => void RunAgentInputSchema.parse(input),
      onEvent: ({ event }) => {
        EventSchemas.parse(event);
        seen.types = [...(seen.types ?? []), event.type];
        if (event.type === "RUN_STARTED") seen.run = [event.threadId, event.runId];
        if (event.type === "RUN_FINISHED") Object.assign(seen, { finish: event.result.finishReason, usage: event.usage[0] });
        if (event.type === "TEXT_MESSAGE_CONTENT") seen.text += event.delta;
      },
      onRunErrorEvent: ({ event }) => (seen.failed = Object.assign(new Error(event.message), { error: { type: event.code } })),
    });
    if (seen.failed) throw seen.failed;
  } finally {
    console.warn = warn;
  }
}

function asked(at, headers) {
  return until((seen) => run(agentOf(at, headers), seen));
}

/** The page runs the tool, and posts its result with the rest. */
async function toolLoop(at) {
  const agent = agentOf(at, play("tool_then_answer"));
  const [first, second] = [{ text: "" }, { text: "" }];
  await run(agent, first, { tools });
  const { toolCalls } = agent.messages.at(-1);
  for (const call of toolCalls) agent.addMessage({ id: `r ${call.id}`, role: "tool", toolCallId: call.id, content: RESULT });
  await run(agent, second, { tools });
  return {
    finish: first.finish,
    calls: toolCalls.map((call) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) })),
    second: second.text,
    secondFinish: second.finish,
    warnings: [...first.warnings, ...second.warnings],
  };
}

async function parallel(at) {
  const agent = agentOf(at, play("tools"));
  await run(agent, { text: "" }, { tools });
  const answer = agent.messages.at(-1);
  return { text: answer.content, calls: answer.toolCalls.map((call) => JSON.parse(call.function.arguments)), messages: agent.messages.length };
}

/** The signature of the first answer's reasoning goes back with the second question. */
async function reasoning(at) {
  const agent = agentOf(at, play("reasoning"));
  const [first, second] = [{ text: "" }, { text: "" }];
  await run(agent, first);
  const thought = agent.messages.find((message) => message.role === "reasoning");
  const signature = thought.encryptedValue?.replace(/^mainstem:[^:]*:/, "");
  agent.addMessage({ id: "u2", role: "user", content: "And?" });
  await run(agent, second);
  return { text: first.text, reasoning: thought.content, types: first.types, signature, second: second.text, returned: await wentUp(at.base, signature) };
}

await judge({
  text: (at) => asked(at, play("chinese")),
  tools: toolLoop,
  parallel,
  reasoning,
  ...failures(asked),
});
