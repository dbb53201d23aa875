/**
 * How a client of each dialect asks. A page asks in these forms, and what there is to copy is made from them.
 *
 * @typedef {{path: string, body: Record<string, unknown>}} Call
 */

const chat = (/** @type {string} */ prompt) => [{ role: "user", content: prompt }];

/** @type {Record<string, {label: string, call: (model: string, prompt: string) => Call}>} */
export const DIALECTS = {
    native: { label: "Mainstem", call: (model, prompt) => ({ path: "v1/stream", body: { model, prompt } }) },
    openai_chat: {
        label: "OpenAI Chat Completions",
        call: (model, prompt) => ({ path: "v1/chat/completions", body: { model, messages: chat(prompt), stream: true, stream_options: { include_usage: true } } }),
    },
    openai_responses: { label: "OpenAI Responses", call: (model, prompt) => ({ path: "v1/responses", body: { model, input: prompt, stream: true } }) },
    anthropic: {
        label: "Anthropic Messages",
        call: (model, prompt) => ({ path: "v1/messages", body: { model, max_tokens: 1024, messages: chat(prompt), stream: true } }),
    },
    gemini: {
        label: "Gemini",
        call: (model, prompt) => ({
            path: `v1beta/models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`,
            body: { contents: [{ role: "user", parts: [{ text: prompt }] }] },
        }),
    },
    ollama: { label: "Ollama", call: (model, prompt) => ({ path: "api/chat", body: { model, messages: chat(prompt), stream: true } }) },
    ai_sdk: {
        label: "Vercel AI SDK",
        call: (model, prompt) => ({
            path: "v1/ai-sdk",
            body: { id: "playground", model, trigger: "submit-message", messages: [{ id: "1", role: "user", parts: [{ type: "text", text: prompt }] }] },
        }),
    },
    ag_ui: {
        label: "AG-UI",
        call: (model, prompt) => ({
            path: "v1/ag-ui",
            body: { threadId: "playground", runId: "1", state: {}, messages: [{ id: "1", role: "user", content: prompt }], tools: [], context: [], forwardedProps: { model } },
        }),
    },
    cohere: { label: "Cohere", call: (model, prompt) => ({ path: "v2/chat", body: { model, messages: chat(prompt), stream: true } }) },
    dify: {
        label: "Dify",
        call: (model, prompt) => ({
            path: `v1/chat-messages?model=${encodeURIComponent(model)}`,
            body: { query: prompt, inputs: {}, response_mode: "streaming", user: "playground" },
        }),
    },
    openai_completions: { label: "OpenAI Completions", call: (model, prompt) => ({ path: "v1/completions", body: { model, prompt, stream: true } }) },
    plain: { label: "Plain text events", call: (model, prompt) => ({ path: "data", body: { model, prompt } }) },
    chatglm: {
        label: "ChatGLM reports",
        call: (model, prompt) => ({ path: `data?model=${encodeURIComponent(model)}`, body: { query: prompt, history: [], data: [] } }),
    },
    sider: {
        label: "Sider",
        call: (model, prompt) => ({ path: "api/v2/completion/text", body: { prompt, model, stream: true, app_name: "ChitChat_Web", from: "chat" } }),
    },
    baidu_chat: {
        label: "Baidu AI chat",
        call: (model, prompt) => ({
            path: "aichat/api/conversation",
            body: { message: { query: [{ type: "TEXT", data: { text: { query: prompt } } }], searchInfo: { usedModel: { modelName: model } } } },
        }),
    },
    yiyan: { label: "Yiyan", call: (model, prompt) => ({ path: "eb/chat/conversation/v2", body: { text: prompt, model, sessionId: "" } }) },
};

/**
 * One question, as a request.
 *
 * @typedef {object} Question
 * @property {string} dialect
 * @property {string} model
 * @property {string} prompt
 * @property {string} key
 * @property {Record<string, unknown>} extra more of the body
 * @property {Record<string, string>} wishes headers for a mock
 *
 * @param {Question} question
 */
export function asked({ dialect, model, prompt, extra, wishes }) {
    const { path, body } = DIALECTS[dialect].call(model, prompt);
    return { url: new URL(path, document.baseURI), body: { ...body, ...extra }, headers: { "content-type": "application/json", ...wishes } };
}

/**
 * @param {string} key
 * @returns {Record<string, string>}
 */
export function authorization(key) {
    return key === "" ? {} : { authorization: `Bearer ${key}` };
}
