// A page with useChat's chat that is loaded again in the middle of an answer, and goes on with it (`resume: true`).
import { AbstractChat, DefaultChatTransport } from "ai";

const [base, model] = process.argv.slice(2);

/** The chat of useChat without React: its state is plain fields. */
class Chat extends AbstractChat {
  constructor(options, messages = []) {
    const state = {
      status: "ready",
      error: undefined,
      messages,
      pushMessage: (message) => state.messages.push(message),
      popMessage: () => state.messages.pop(),
      replaceMessage: (index, message) => (state.messages[index] = message),
      snapshot: (value) => structuredClone(value),
    };
    super({ ...options, state });
  }
}

const text = (message) => message.parts.filter((part) => part.type === "text").map((part) => part.text).join("");
const transport = () => new DefaultChatTransport({ api: `${base}/v1/ai-sdk`, body: { model } });
const page = (id, messages) => new Chat({ id, transport: transport() }, messages);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function begun(id, prompt) {
  const chat = page(id);
  const sending = chat.sendMessage({ text: prompt });
  while (!(chat.lastMessage?.role === "assistant" && text(chat.lastMessage))) await pause(20);
  return { chat, sending };
}

/** Its page is gone; the chat's own messages are what a page keeps elsewhere: the user's. */
async function reloaded() {
  const { chat, sending } = await begun("chat-1", "a prompt of many words that is said again word by word by the echo");
  const [asked, answer] = structuredClone(chat.messages);
  const seen = text(answer);
  await chat.stop();
  await sending;
  const again = page("chat-1", [asked]);
  await again.resumeStream();
  return { seen, whole: text(again.lastMessage), same: again.lastMessage.id === answer.id, status: again.status };
}

async function nothing(id) {
  const chat = page(id, [{ id: "u", role: "user", parts: [{ type: "text", text: "hi" }] }]);
  await chat.resumeStream();
  return { messages: chat.messages.length, status: chat.status, error: chat.error?.message ?? null };
}

async function stopped() {
  const { chat, sending } = await begun("chat-2", "another prompt of many words that is stopped by its page in the midst of it");
  const answer = await fetch(`${base}/v1/ai-sdk/chat-2/stop`, { method: "POST" });
  await sending;
  return { status: answer.status, error: chat.error?.message ?? null, after: await nothing("chat-2") };
}

console.log(JSON.stringify({ reloaded: await reloaded(), over: await nothing("chat-1"), unknown: await nothing("no-chat"), stopped: await stopped() }));
