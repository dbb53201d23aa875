// The AI SDK's WorkflowChatTransport, unmodified, whose connection is cut again and again, and a page that is loaded again in the middle.
import { WorkflowChatTransport } from "@ai-sdk/workflow/client";

const [base, model] = process.argv.slice(2);
const api = `${base}/v1/ai-sdk`;
// the transport sends its JSON as text/plain unless it is told the type, and the proxy takes none such
const prepareSendMessagesRequest = ({ messages }) => ({ headers: { "content-type": "application/json" }, body: { messages, model } });
console.error = () => {}; // it says each time that its connection broke

/** A fetch whose answers break off after so many bytes. */
function cutting(bytes) {
  const calls = [];
  const cut = async (address, init) => {
    const answer = await fetch(address, init);
    calls.push([init.method ?? "GET", answer.status, new URL(address).searchParams.get("startIndex")]);
    let left = bytes;
    const line = new TransformStream({
      transform(chunk, to) {
        if (chunk.length < left) to.enqueue(chunk);
        else to.enqueue(chunk.slice(0, left)), to.error(new TypeError("the line broke"));
        left -= chunk.length;
      },
    });
    return new Response(answer.body?.pipeThrough(line), { status: answer.status, headers: answer.headers });
  };
  return { cut, calls };
}

const said = (text) => [{ id: "u", role: "user", parts: [{ type: "text", text }] }];

async function read(stream, enough = () => false) {
  const seen = { text: "", types: [] };
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    seen.types.push(next.value.type);
    seen.text += next.value.delta ?? "";
    if (enough(seen)) {
      await reader.cancel();
      break;
    }
  }
  return seen;
}

async function broken() {
  const { cut, calls } = cutting(480);
  const transport = new WorkflowChatTransport({ api, fetch: cut, prepareSendMessagesRequest });
  const messages = said("a prompt of many words that comes back piece by piece");
  const seen = await read(await transport.sendMessages({ chatId: "chat 1", trigger: "submit-message", messages }));
  return { ...seen, calls };
}

/** Another page: it has nothing, and asks for more of the newest parts than there are. */
async function newest() {
  let run;
  const onChatSendMessage = (answer) => (run = answer.headers.get("x-workflow-run-id"));
  const first = new WorkflowChatTransport({ api, onChatSendMessage, prepareSendMessagesRequest });
  const messages = said("another prompt of many words that a second page reads from its start");
  const seen = await read(await first.sendMessages({ chatId: "chat 2", trigger: "submit-message", messages }), ({ text }) => text.length > 20);
  const second = new WorkflowChatTransport({ api, initialStartIndex: -99 });
  const rest = await read(await second.reconnectToStream({ chatId: run }));
  return { seen: seen.text, rest: rest.text, last: rest.types.at(-1) };
}

console.log(JSON.stringify({ broken: await broken(), newest: await newest() }));
process.exit(0);
