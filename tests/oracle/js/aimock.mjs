// An independent mock of the vendors, which serves until its standard input ends. Its first line says where. test_aimock.py asks it.
import { createRequire } from "node:module";

// As CommonJS it loads on Node.js 18 too, which lacks a function that only its Bedrock needs.
const { LLMock } = createRequire(import.meta.url)("@copilotkit/aimock");

// It cuts a text by the units of UTF-16: this size leaves the characters below whole.
const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent", chunkSize: 8 });
// By the names that each vendor has for them.
const usage = { prompt_tokens: 12, completion_tokens: 34, input_tokens: 12, output_tokens: 34, promptTokenCount: 12, candidatesTokenCount: 34 };
const calls = [
  { id: "call_one", name: "get_weather", arguments: '{"city":"Paris","unit":"°C"}' },
  { id: "call_two", name: "get_weather", arguments: '{"city":"北京"}' },
];

mock
  .onMessage("text", { content: "Grüße 🌱, 你好 — a \"quoted\" line\nand another.", usage })
  .onMessage("think", { content: "42", reasoning: "Two sides, one answer.", reasoningSignature: "c2lnbmF0dXJl", usage })
  .onMessage("long", { content: "x".repeat(200_000) })
  .onMessage("length", { content: "cut", finishReason: "length" })
  .on({ userMessage: "tools", hasToolResult: false }, { content: "Let me look.", toolCalls: calls, usage })
  .on({ userMessage: "tools", toolResultContains: "21 degrees" }, { content: "It is 21 degrees." })
  .onMessage("order", { blocks: [{ type: "toolCall", ...calls[0] }, { type: "text", text: "Called." }] })
  .onMessage("truncated", { content: "This answer will not reach its end." }, { truncateAfterChunks: 4, latency: 20 });

const types = {
  400: "invalid_request_error",
  401: "authentication_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "api_error",
};
for (const [status, type] of Object.entries(types)) {
  const error = { message: `told to answer ${status}`, type, code: `code_${status}` };
  mock.onMessage(`error ${status}`, { error, status: Number(status), retryAfter: 9 });
}

await mock.start();
process.stdout.write(`${mock.url}\n`);
process.stdin.resume().on("end", () => mock.stop().then(() => process.exit(0)));
