/**
 * The three ways in which a page may ask, each as a page would write it. All take the same question, tell the same
 * listener what arrives, and end by returning; what goes wrong is thrown as an Error whose message is a sentence.
 *
 * @typedef {import("../mainstem.d.ts").StreamEvent} StreamEvent
 * @typedef {{prompt: string, model: string, key: string, signal: AbortSignal}} Question
 * @typedef {object} Listener
 * @property {(raw: string, kind: string) => void} arrived one frame (or one read) as it came, and what it holds
 * @property {(event: StreamEvent) => void} event
 * @property {(text: string) => void} snapshot the whole text so far
 *
 * @typedef {(question: Question, listener: Listener) => Promise<string>} Client gives a sentence on how it ended
 */

import { refusal, stream } from "../client.js";

/** @param {string} path relative to this page, so that it also works where the proxy has a prefix */
const endpoint = (path) => new URL(path, document.baseURI);

/**
 * The native EventSource. It can only GET, cannot send headers, and cannot tell why it failed.
 *
 * @type {Client}
 */
function eventSource({ prompt, model, key, signal }, listener) {
    const url = endpoint("v1/stream");
    url.searchParams.set("model", model);
    url.searchParams.set("prompt", prompt);
    if (key !== "") url.searchParams.set("key", key);
    return new Promise((resolve, reject) => {
        const source = new EventSource(url);
        const close = () => source.close();
        signal.addEventListener("abort", () => {
            close();
            reject(signal.reason);
        });
        source.onmessage = ({ data }) => {
            const event = JSON.parse(data);
            listener.arrived(data, event.type);
            listener.event(event);
            if (event.type === "stream.end") {
                close();
                resolve(ended(event));
            } else if (event.type === "stream.error") {
                close();
                reject(new Error(event.error.message));
            }
        };
        source.onerror = () => {
            close(); // else it would come back by itself in some seconds
            reject(new Error("The connection failed, and EventSource does not tell a page why: ask with fetch to see the server’s own words."));
        };
    });
}

/**
 * fetch and a reader of server-sent events: client.js.
 *
 * @type {Client}
 */
async function fetchStream({ prompt, model, key, signal }, listener) {
    const end = await stream({
        url: endpoint("v1/stream"),
        body: { model, prompt },
        headers: authorization(key),
        signal,
        onFrame: ({ data }) => listener.arrived(data, parsed(data)?.type ?? "unread"),
        onEvent: listener.event,
    });
    return ended(end);
}

/**
 * The reader of many a first try: it takes every read for one whole JSON text, each with the whole answer so far. That holds
 * only as long as the network neither joins nor splits what was written, so what it cannot read is counted, not hidden.
 *
 * @type {Client}
 */
async function handWritten({ prompt, model, key, signal }, listener) {
    const url = endpoint("data");
    url.searchParams.set("model", model);
    const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*", ...authorization(key) },
        body: JSON.stringify({ query: prompt, history: [], data: [] }),
        signal,
    });
    if (response.status !== 200 || response.body === null) throw await refusal(response);
    const reader = response.body.getReader();
    let reads = 0;
    let unread = 0;
    for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        reads += 1;
        const text = new TextDecoder().decode(value);
        listener.arrived(text, "read");
        const report = parsed(text);
        if (typeof report?.body?.content === "string") listener.snapshot(report.body.content);
        else unread += 1;
        // More than such readers look at: the proxy says here that the answer is not whole.
        if (report?.error !== undefined) throw new Error(report.error.message);
    }
    if (unread > 0) throw new Error(`${unread} of ${reads} reads were not one JSON text each: this reader cannot cope with that.`);
    return `Ended after ${reads} reads.`;
}

/** @type {Record<string, Client>} */
export const CLIENTS = { eventsource: eventSource, fetch: fetchStream, handwritten: handWritten };

/**
 * The command that asks the same way. A key is never written out.
 *
 * @param {string} client
 * @param {{prompt: string, model: string, key: string}} question
 */
export function curl(client, { prompt, model, key }) {
    const words = ["curl -N"];
    if (key !== "") words.push('-H "authorization: Bearer $MAINSTEM_KEY"');
    if (client === "eventsource") {
        words.push("-G", quoted(endpoint("v1/stream").href), "--data-urlencode", quoted(`model=${model}`), "--data-urlencode", quoted(`prompt=${prompt}`));
        return words.join(" ");
    }
    const url = endpoint(client === "fetch" ? "v1/stream" : "data");
    if (client !== "fetch") url.searchParams.set("model", model);
    const body = client === "fetch" ? { model, prompt } : { query: prompt, history: [], data: [] };
    words.push(quoted(url.href), "-H 'content-type: application/json'", "-d", quoted(JSON.stringify(body)));
    return words.join(" ");
}

/** @param {string} word */
function quoted(word) {
    return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * @param {string} key
 * @returns {Record<string, string>}
 */
export function authorization(key) {
    return key === "" ? {} : { Authorization: `Bearer ${key}` };
}

/**
 * @param {string} text
 * @returns {any} its JSON value; null where it is none
 */
function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

/** @param {import("../mainstem.d.ts").StreamEnd} end */
function ended({ finish, usage }) {
    const tokens = usage?.output_tokens == null ? "" : ` ${usage.output_tokens} tokens.`;
    return `Ended: ${finish.reason}.${tokens}`;
}
