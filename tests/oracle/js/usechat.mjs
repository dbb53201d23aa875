// What useChat is made of (its transport, its schema of parts, its chat) against POST /v1/ai-sdk; of the AI SDK's current version, and of its
// release 5.0.0, which fails on every key that it does not know.
import { AbstractChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls, readUIMessageStream } from "ai";
import { DefaultChatTransport as FirstTransport, readUIMessageStream as firstRead } from "ai-v5";

import { PROMPT, RESULT, WEATHER, failures, judge, play, thrown, until, wentUp } from "./harness.mjs";

const tools = { [WEATHER.name]: { description: WEATHER.description, inputSchema: WEATHER.schema } };
const messages = [{ id: "u1", role: "user", parts: [{ type: "text", text: PROMPT }] }];

/** The chat of useChat without React: its state is plain fields. */
class Chat extends AbstractChat {
  constructor(options) {
    const state = {
      status: "ready",
      error: undefined,
      messages: [],
      pushMessage: (message) => state.messages.push(message),
      popMessage: () => state.messages.pop(),
      replaceMessage: (index, message) => (state.messages[index] = message),
      snapshot: (value) => structuredClone(value),
    };
    super({ ...options, state });
  }
}

function transport({ base, model }, headers, more = {}) {
  return new DefaultChatTransport({ api: `${base}/v1/ai-sdk`, body: { model, ...more }, headers });
}

function joined(message, type) {
  return message.parts.filter((part) => part.type === type).map((part) => part.text).join("");
}

async function read(sender, reader) {
  const stream = await sender.sendMessages({ chatId: "c1", messages, trigger: "submit-message" });
  let last;
  for await (const message of reader({ stream, terminateOnError: true })) last = structuredClone(message);
  return { text: joined(last, "text"), reasoning: joined(last, "reasoning"), metadata: last.metadata, parts: last.parts, id: last.id };
}

/** A chat, and a list that gets the finish reason of each of its answers. */
function opened(at, headers, more = {}, options = {}) {
  const finishes = [];
  const onFinish = ({ finishReason }) => {
    finishes.push(finishReason ?? null);
    options.onAnswer?.(finishes.length);
  };
  return { chat: new Chat({ transport: transport(at, headers, more), ...options, onFinish }), finishes };
}

function asked(at, headers) {
  return until(async (seen) => {
    const { chat, finishes } = opened(at, headers);
    await chat.sendMessage({ text: PROMPT });
    const last = chat.lastMessage;
    if (last.role === "assistant") seen.text = joined(last, "text");
    if (chat.error) throw chat.error;
    Object.assign(seen, { finish: finishes[0], usage: last.metadata.usage });
  });
}

/** The page runs the tool, and the chat goes on by itself. */
async function toolLoop(at) {
  let over;
  const ended = new Promise((resolve) => (over = resolve));
  const { chat, finishes } = opened(at, play("tool_then_answer"), { tools }, {
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
    onError: over,
    onAnswer: (answers) => answers === 2 && over(),
    onToolCall: ({ toolCall }) => {
      chat.addToolOutput({ tool: toolCall.toolName, toolCallId: toolCall.toolCallId, output: RESULT });
    },
  });
  await chat.sendMessage({ text: PROMPT });
  const failed = await ended;
  if (failed) throw failed;
  const { parts } = chat.lastMessage;
  return {
    finish: finishes[0],
    calls: parts.filter((part) => part.type === `tool-${WEATHER.name}`).map((part) => ({ name: WEATHER.name, arguments: part.input })),
    second: joined(chat.lastMessage, "text"),
    secondFinish: finishes[1],
    messages: chat.messages.length,
    steps: parts.filter((part) => part.type === "step-start").length,
  };
}

/** The signature of the first answer's reasoning goes back with the second question. */
async function reasoning(at) {
  const { chat } = opened(at, play("reasoning"));
  await chat.sendMessage({ text: PROMPT });
  const first = structuredClone(chat.lastMessage);
  await chat.sendMessage({ text: "And then?" });
  if (chat.error) throw chat.error;
  const signature = first.parts.find((part) => part.type === "reasoning").providerMetadata?.mainstem?.signature ?? "";
  const returned = await wentUp(at.base, signature);
  return { text: joined(first, "text"), reasoning: joined(first, "reasoning"), signature, second: joined(chat.lastMessage, "text"), returned };
}

async function parallel(at) {
  const said = await read(transport(at, play("tools"), { tools }), readUIMessageStream);
  return { text: said.text, calls: said.parts.filter((part) => part.type.startsWith("tool-")).map((part) => part.input) };
}

async function first({ base, model }, scenario, query = "?strict=true") {
  const sender = new FirstTransport({ api: `${base}/v1/ai-sdk${query}`, body: { model, tools }, headers: play(scenario) });
  try {
    return await read(sender, firstRead);
  } catch (error) {
    return thrown(error);
  }
}

await judge({
  text: (at) => asked(at, play("chinese")),
  transport: (at) => read(transport(at, play("chinese")), readUIMessageStream),
  reasoning,
  tools: toolLoop,
  parallel,
  "first release, text": (at) => first(at, "chinese"),
  "first release, reasoning": (at) => first(at, "reasoning"),
  "first release, tools": (at) => first(at, "tools"),
  "first release, not strict": (at) => first(at, "hello", ""),
  ...failures(asked),
});
