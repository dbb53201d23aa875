// TanStack AI's chat client, whose connection is cut again and again, and a page that is loaded again in the middle of a run.
import { ChatClient, fetchServerSentEvents } from "@tanstack/ai-client";

const [base, model] = process.argv.slice(2);
const url = `${base}/v1/ag-ui`;

/** A fetch whose answers break off after so many bytes, each a little later than the one before. */
function cutting(bytes) {
  const calls = [];
  const fetchClient = async (address, init) => {
    const answer = await fetch(address, init);
    calls.push([init.method, answer.status, new Headers(init.headers).get("last-event-id") !== null]);
    if (!answer.body) return answer;
    let left = bytes + 37 * calls.length;
    const cut = new TransformStream({
      transform(chunk, to) {
        if (chunk.length < left) to.enqueue(chunk);
        else to.enqueue(chunk.slice(0, left)), to.error(new TypeError("the line broke"));
        left -= chunk.length;
      },
    });
    return new Response(answer.body.pipeThrough(cut), { status: answer.status, headers: answer.headers });
  };
  return { fetchClient, calls };
}

const texts = (messages, role = "assistant") =>
  messages.filter((message) => message.role === role).map((message) => message.parts.map((part) => part.content ?? "").join(""));

function opened(options = {}, more = {}) {
  return new ChatClient({ connection: fetchServerSentEvents(url, { body: { model }, reconnect: { delayMs: 5 }, ...options }), ...more });
}

/** Each connection carries a few hundred bytes. */
async function cut() {
  const line = cutting(420);
  const chat = opened({ fetchClient: line.fetchClient });
  await chat.sendMessage("a prompt of many words that comes back piece by piece");
  const [first, ...later] = line.calls;
  return { texts: texts(chat.getMessages()), first, later, error: chat.getError()?.message ?? null };
}

/** The second page knows the run's id, and nothing of the answer. */
async function joined() {
  let run;
  const fetchClient = (address, init) => {
    run = new Headers(init.headers).get("x-run-id");
    return fetch(address, init);
  };
  const connection = fetchServerSentEvents(url, { body: { model }, fetchClient });
  const leave = new AbortController();
  const context = { threadId: "thread 2", runId: "run 2" };
  const asked = [{ id: "u", role: "user", parts: [{ type: "text", content: "another prompt that a second page takes over from here" }] }];
  let seen = "";
  for await (const event of connection.connect(asked, {}, leave.signal, context)) {
    if (event.type === "TEXT_MESSAGE_CONTENT") seen += event.delta;
    if (seen.length > 20) leave.abort();
  }
  const again = { text: "", types: new Set() };
  for await (const event of fetchServerSentEvents(url).joinRun("run 2")) {
    again.types.add(event.type);
    if (event.type === "TEXT_MESSAGE_CONTENT") again.text += event.delta;
    if (event.type === "RUN_STARTED") again.ids = [event.threadId, event.runId];
  }
  let unknown;
  try {
    for await (const event of fetchServerSentEvents(url).joinRun("no run")) unknown = event.type;
  } catch (error) {
    unknown = "an error";
  }
  return { run, seen, text: again.text, ids: again.ids, types: [...again.types], unknown };
}

console.log(JSON.stringify({ cut: await cut(), joined: await joined() }));
process.exit(0);
