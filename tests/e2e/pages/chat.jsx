// A page of chats, each useChat's with `resume: true`. What it keeps is what the user said. It asks when `ask()` is called.
import { Chat, useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { useEffect, useMemo } from "react";
import { createRoot } from "react-dom/client";

const query = new URLSearchParams(location.search);
const apis = query.get("apis").split(",");
const prompts = query.get("prompts").split("|");
const result = { texts: prompts.map(() => ""), messages: prompts.map(() => 0), ready: prompts.map(() => false), over: 0, errors: 0 };
const senders = [];
window.result = result;
window.ask = () => senders.forEach((send) => send());

function Talk({ id, number, prompt, api }) {
  // In a Chat of its own the transport says that it replays; useChat's own wrapper hides that, and a page that comes back
  // without being loaded again would add the replay to what it has.
  const chat = useMemo(() => {
    const transport = new DefaultChatTransport({ api: `${api}/v1/ai-sdk`, body: { model: query.get("model") } });
    return new Chat({ id, messages: JSON.parse(localStorage.getItem(id) ?? "[]"), transport });
  }, []);
  const { messages, status, error, sendMessage, resumeStream } = useChat({ chat, resume: true });

  senders[number] = () => {
    const message = { id: `${id}-said`, role: "user", parts: [{ type: "text", text: prompt }] };
    localStorage.setItem(id, JSON.stringify([message]));
    sendMessage(message);
  };
  useEffect(() => {
    if (status !== "error") return undefined;
    result.errors += 1;
    const timer = setTimeout(resumeStream, 200);
    return () => clearTimeout(timer);
  }, [status, error]);

  const answers = messages.filter(({ role }) => role === "assistant");
  result.texts[number] = answers.flatMap(({ parts }) => parts.map((part) => part.text ?? "")).join("");
  result.messages[number] = answers.length;
  result.ready[number] = status === "ready" && answers.length > 0;
  result.over = result.ready.filter(Boolean).length;
  return <p>{result.texts[number]}</p>;
}

const chats = prompts.map((prompt, number) => {
  const id = `${query.get("chat")}-${number}`;
  return <Talk key={id} id={id} number={number} prompt={prompt} api={apis[number % apis.length]} />;
});
createRoot(document.querySelector("#chats")).render(<>{chats}</>);
