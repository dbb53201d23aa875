/**
 * Mainstem's client for browsers, workers, Node 20 or newer, Deno and Bun: one prompt in, typed events out. No dependency,
 * no build step. Types are in client.d.ts.
 *
 *     import { ask } from "https://<your proxy>/web/client.js";
 *
 *     const answer = ask({ url, body: { model: "fast", prompt: "Hello" } });
 *     for await (const event of answer) if (event.type === "text.delta") show(event.text);
 *     const { ok, text, usage, error } = await answer.whole;
 *
 * What it promises: every event once and in order, the last of them `stream.end` or `stream.error`, whatever happens.
 * Where the proxy keeps its streams (`streams.resume`), a connection that breaks is made anew and the stream goes on behind
 * the last event that came. Leaving the loop or aborting the signal closes the connection.
 *
 * `events` and `stream` are the same with failures that are thrown.
 *
 * @typedef {import("./mainstem.d.ts").StreamEvent} StreamEvent
 * @typedef {import("./mainstem.d.ts").StreamEnd} StreamEnd
 * @typedef {import("./client.d.ts").Options} Options
 * @typedef {import("./client.d.ts").Whole} Whole
 */

/** Characters of one event beyond which a stream is given up: far more than the proxy lets an event have. */
const MAX_EVENT_CHARS = 16 * 1024 * 1024;

/**
 * Why there is no answer, or no whole one. `kind` is the proxy's word for it. Three are the client's own: `unreachable` (no
 * response at all), `truncated` (the stream broke off) and `malformed` (what came is not Mainstem's native stream).
 */
export class MainstemError extends Error {
    /**
     * @param {string} message a sentence to show
     * @param {{kind?: string, status?: number | null, retryable?: boolean, retryAfterS?: number | null,
     *          requestId?: string | null, cause?: unknown}} [facts]
     */
    constructor(message, facts = {}) {
        super(message, { cause: facts.cause });
        this.name = "MainstemError";
        this.kind = facts.kind ?? "internal";
        this.status = facts.status ?? null;
        this.retryable = facts.retryable ?? false;
        /** Seconds, as the server advises; null when it does not say. */
        this.retryAfterS = facts.retryAfterS ?? null;
        /** For whoever runs the proxy: the name of this request in its log. */
        this.requestId = facts.requestId ?? null;
    }
}

/**
 * Bytes to frames by the HTML standard, section 9.2.6 ("Interpreting an event stream"), for any split of the bytes.
 * A frame that the stream's end leaves incomplete is never given.
 *
 * @typedef {import("./client.d.ts").Frame} Frame
 */
export class FrameParser {
    #decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // holds back half a character; Deno's drops more marks than the first
    #begun = false;
    /** The line whose end has not come. Pieces, joined once: many small reads cost no more than one large one.
     * @type {string[]} */
    #pieces = [];
    /** @type {string[]} */
    #data = [];
    #event = "";
    #id = "";
    #chars = 0; // in #pieces and #data
    #afterCr = false; // a line feed that comes next is the second half of a line end

    /**
     * @param {Uint8Array} bytes
     * @returns {Frame[]} the frames that these bytes complete
     */
    feed(bytes) {
        let text = this.#decoder.decode(bytes, { stream: true });
        /** @type {Frame[]} */
        const frames = [];
        if (text === "") return frames;
        if (!this.#begun && text[0] === "\ufeff") text = text.slice(1);
        this.#begun = true;
        let start = this.#afterCr && text[0] === "\n" ? 1 : 0;
        this.#afterCr = text.endsWith("\r");
        const lineEnd = /\r\n?|\n/g;
        lineEnd.lastIndex = start;
        for (let found = lineEnd.exec(text); found !== null; found = lineEnd.exec(text)) {
            this.#keep(text.slice(start, found.index));
            start = lineEnd.lastIndex;
            this.#endLine(frames);
        }
        this.#keep(text.slice(start));
        return frames;
    }

    /** @param {string} piece */
    #keep(piece) {
        if (piece === "") return;
        this.#pieces.push(piece);
        this.#chars += piece.length;
        if (this.#chars > MAX_EVENT_CHARS) {
            throw new MainstemError(`An event of more than ${MAX_EVENT_CHARS} characters came: this is no stream of Mainstem's.`, {
                kind: "malformed",
            });
        }
    }

    /** @param {Frame[]} frames */
    #endLine(frames) {
        const line = this.#pieces.join("");
        this.#pieces = [];
        if (line === "") {
            if (this.#data.length > 0) {
                frames.push({ event: this.#event || "message", data: this.#data.join("\n"), id: this.#id });
            }
            this.#data = [];
            this.#event = "";
            this.#chars = 0;
            return;
        }
        const colon = line.indexOf(":");
        const field = colon < 0 ? line : line.slice(0, colon);
        let value = colon < 0 ? "" : line.slice(colon + 1);
        if (value.startsWith(" ")) value = value.slice(1);
        if (field === "data") this.#data.push(value);
        else this.#chars -= line.length; // only data is held on to; a comment is a line without a field name
        if (field === "event") this.#event = value;
        else if (field === "id" && !value.includes("\0")) this.#id = value;
    }
}

/**
 * Sends one request and gives its events as they arrive; the last one is `stream.end`.
 *
 * With a `body` it is a POST, else a GET of `url` as it is. An event `stream.error` is given like any other, and then thrown.
 * A stream that begins again (`stream.start` comes twice) was away for longer than the proxy keeps single events: what
 * follows is all of it.
 *
 * @param {Options} options
 * @returns {AsyncGenerator<StreamEvent, void, undefined>}
 * @throws {MainstemError} or, when `signal` is aborted, its reason (an AbortError)
 */
export async function* events({ url, body, headers = {}, signal, onFrame, fetch: send = fetch, retries = 5, waitMs = 500, mostWaitMs = 10_000 }) {
    let kept = ""; // the stream's name, where it can be come back to
    let lastId = "";
    let tries = 0;
    for (;;) {
        let over = false; // by the stream's own word
        /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
        let reader;
        try {
            const response = await (kept === ""
                ? request(send, url, body, headers, signal)
                : request(send, placeOf(kept, url), undefined, lastId === "" ? headers : { ...headers, "last-event-id": lastId }, signal));
            const requestId = response.headers.get("x-request-id");
            kept = response.headers.get("x-resumable-stream-id") ?? kept;
            reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
            const parser = new FrameParser();
            for (;;) {
                const { done, value } = await read(reader, signal, requestId);
                if (done) throw truncated(requestId);
                for (const frame of parser.feed(value)) {
                    onFrame?.(frame);
                    const event = parseEvent(frame.data, requestId);
                    lastId = frame.id;
                    tries = 0;
                    over = event.type === "stream.end" || event.type === "stream.error";
                    yield event;
                    if (event.type === "stream.end") return;
                    if (event.type === "stream.error") throw failed(event.error, requestId);
                }
            }
        } catch (error) {
            if (over || kept === "" || tries >= retries || !(error instanceof MainstemError) || !mayPass(error)) throw error;
            const longest = Math.min(mostWaitMs, waitMs * 2 ** tries);
            await pause(Math.min(mostWaitMs, Math.max((error.retryAfterS ?? 0) * 1000, longest * (0.5 + Math.random() / 2))), signal);
            tries += 1;
        } finally {
            reader?.cancel().catch(() => {}); // it may have broken off by itself: then there is nothing to close
        }
    }
}

/**
 * Asks, and never throws: what goes wrong is the last event, a `stream.error`, and `error` in `whole`. Go through the events
 * once, or wait for `whole`, or both.
 *
 * @param {Options} options
 */
export function ask(options) {
    return new Answer(events(options));
}

/** See `ask`. */
class Answer {
    #source;
    #begun = false;
    /** @type {(whole: Whole) => void} */
    #resolve = () => {};
    /** @type {Promise<Whole>} */
    #whole = new Promise((resolve) => {
        this.#resolve = resolve;
    });

    /** @param {AsyncIterable<StreamEvent>} source */
    constructor(source) {
        this.#source = source;
    }

    /** The answer once it is over, folded from its events. It is read to its end if nobody goes through them.
     * @returns {Promise<Whole>} */
    get whole() {
        queueMicrotask(async () => {
            if (!this.#begun) for await (const _ of this);
        });
        return this.#whole;
    }

    /** @returns {AsyncGenerator<StreamEvent, void, undefined>} */
    async *[Symbol.asyncIterator]() {
        if (this.#begun) return;
        this.#begun = true;
        let folded = new Fold();
        try {
            for await (const event of this.#source) {
                if (event.type === "stream.start") folded = new Fold(); // it may begin again
                folded.add(event);
                yield event;
            }
        } catch (cause) {
            if (folded.whole.error !== null) return; // it was the last event
            const error = cause instanceof MainstemError ? cause : new MainstemError(String(/** @type {any} */ (cause)?.message ?? cause), { kind: "aborted", cause });
            folded.whole.error = error;
            const { kind, message, retryable, status } = error;
            yield /** @type {any} */ ({ type: "stream.error", error: { kind, message, retryable, status: status ?? 0, upstream: null }, usage: null });
        } finally {
            this.#resolve(folded.end());
        }
    }
}

/** Events to a whole answer. Of several choices the first is its text. */
class Fold {
    /** @type {Whole} */
    whole = { ok: false, text: "", reasoning: "", toolCalls: [], citations: [], images: [], notes: [], usage: null, finish: null, error: null };
    /** @type {Map<number, {kind: string, text: string, call?: {arguments: string}}>} */
    #blocks = new Map();

    /** @param {StreamEvent} event */
    add(event) {
        const { whole } = this;
        const block = "block" in event ? this.#blocks.get(event.block) : undefined;
        if (event.type === "stream.start") whole.notes = event.notes;
        else if (event.type === "block.start") this.#begin(event);
        else if (event.type === "citation") whole.citations.push(event);
        else if (event.type === "image") whole.images.push(event.url);
        else if (event.type === "usage") whole.usage = event;
        else if (event.type === "stream.end" || event.type === "stream.error") {
            whole.usage = event.usage;
            if (event.type === "stream.end") whole.finish = event.finish;
            else whole.error = failed(event.error, null);
        } else if (block !== undefined) {
            if (event.type === "text.rewrite") block.text = rewritten(block.text, event);
            else if (event.type === "tool_call.delta" && block.call) block.call.arguments += event.arguments;
            else if (event.type === "text.delta" || event.type === "reasoning.delta") block.text += event.text;
        }
    }

    end() {
        const { whole } = this;
        for (const { kind, text } of this.#blocks.values()) whole[kind === "text" ? "text" : "reasoning"] += text;
        if (whole.finish === null) whole.error ??= new MainstemError("Its reader left before the end.", { kind: "left" });
        whole.ok = whole.error === null;
        return whole;
    }

    /** @param {import("./mainstem.d.ts").BlockStart} start */
    #begin({ block, kind, tool, choice }) {
        if (choice) return;
        const call = tool && { id: tool.id, name: tool.name, arguments: "" };
        if (call) this.whole.toolCalls.push(call);
        this.#blocks.set(block, { kind, text: "", call });
    }
}

/**
 * The same with a callback: resolves with the `stream.end`, rejects as `events` throws.
 *
 * @param {Options & {onEvent?: (event: StreamEvent) => void}} options
 * @returns {Promise<StreamEnd>}
 */
export async function stream({ onEvent, ...options }) {
    for await (const event of events(options)) {
        onEvent?.(event);
        if (event.type === "stream.end") return event;
    }
    throw truncated(null);
}

/** Where a kept stream is read: beside the path where it was asked for.
 * @param {string} kept @param {string | URL} url */
function placeOf(kept, url) {
    return new URL(`streams/${encodeURIComponent(kept)}`, new URL(url, globalThis.location?.href));
}

/** Whether another try may do better. @param {MainstemError} error */
function mayPass({ kind, status }) {
    return kind === "truncated" || kind === "unreachable" || status === 429 || (status ?? 0) >= 500;
}

/** @param {number} ms @param {AbortSignal | undefined} signal @returns {Promise<void>} */
function pause(ms, signal) {
    return new Promise((resolve, reject) => {
        const stop = () => {
            clearTimeout(timer);
            reject(signal?.reason);
        };
        const timer = setTimeout(() => {
            signal?.removeEventListener("abort", stop);
            resolve();
        }, ms);
        signal?.addEventListener("abort", stop, { once: true });
    });
}

/**
 * A block's text after a `text.rewrite`: its first `keep` code points, then `text`.
 *
 * @param {string} shown
 * @param {{keep: number, text: string}} rewrite
 */
export function rewritten(shown, { keep, text }) {
    return Array.from(shown).slice(0, keep).join("") + text;
}

/**
 * The error that a response holds, whichever dialect it speaks.
 *
 * @param {Response} response one whose status is not 200
 */
export async function refusal(response) {
    const text = await response.text().catch(() => "");
    /** @type {any} */
    let said = null;
    try {
        said = JSON.parse(text);
    } catch {
        // A page of some gateway on the way, or nothing: the status has to do.
    }
    const error = said?.error ?? said ?? {};
    const words = [error.message, error.detail, error.detail?.[0]?.msg, error.msg, said?.error].find((w) => typeof w === "string" && w !== "");
    const wait = Number.parseFloat(response.headers.get("retry-after") ?? "");
    return new MainstemError(words ?? `The server answered with status ${response.status} and gave no reason.`, {
        kind: typeof error.kind === "string" ? error.kind : "internal",
        status: response.status,
        retryable: error.retryable ?? (response.status === 429 || response.status >= 500),
        retryAfterS: Number.isNaN(wait) ? null : wait,
        requestId: response.headers.get("x-request-id"),
    });
}

/**
 * @param {typeof fetch} send
 * @param {string | URL} url
 * @param {unknown} body
 * @param {Record<string, string>} headers
 * @param {AbortSignal | undefined} signal
 */
async function request(send, url, body, headers, signal) {
    /** @type {RequestInit} */
    const init = { headers: { accept: "text/event-stream", ...headers }, signal, cache: "no-store" };
    if (body !== undefined) {
        init.method = "POST";
        init.body = JSON.stringify(body);
        init.headers = { "content-type": "application/json", ...init.headers };
    }
    /** @type {Response} */
    let response;
    try {
        response = await send(url, init);
    } catch (cause) {
        signal?.throwIfAborted();
        throw new MainstemError(`Nothing answered at ${url}: either nothing runs there, or it does not allow pages of this origin.`, {
            kind: "unreachable",
            retryable: true,
            cause,
        });
    }
    if (response.status !== 200) throw await refusal(response);
    const type = response.headers.get("content-type") ?? "nothing";
    if (response.body === null || !type.toLowerCase().startsWith("text/event-stream")) {
        await response.body?.cancel();
        throw new MainstemError(`${url} answered with ${type} where an event stream was expected.`, { kind: "malformed", status: 200 });
    }
    return response;
}

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @param {AbortSignal | undefined} signal
 * @param {string | null} requestId
 */
async function read(reader, signal, requestId) {
    try {
        return await reader.read();
    } catch (cause) {
        signal?.throwIfAborted();
        throw truncated(requestId, cause);
    }
}

/**
 * @param {string} data
 * @param {string | null} requestId
 * @returns {StreamEvent}
 */
function parseEvent(data, requestId) {
    try {
        const event = JSON.parse(data);
        if (typeof event?.type === "string") return event;
    } catch {
        // Said below, for both.
    }
    throw new MainstemError(`A frame came that is no event of Mainstem's: ${data.slice(0, 80)}`, { kind: "malformed", requestId });
}

/**
 * @param {import("./mainstem.d.ts").Failure} failure
 * @param {string | null} requestId
 */
function failed(failure, requestId) {
    const { message, kind, status, retryable, retry_after_s: retryAfterS } = failure;
    return new MainstemError(message, { kind, status, retryable, retryAfterS, requestId });
}

/**
 * @param {string | null} requestId
 * @param {unknown} [cause]
 */
function truncated(requestId, cause) {
    return new MainstemError("The stream broke off before its end: what has been shown is not the whole answer.", {
        kind: "truncated",
        retryable: true,
        requestId,
        cause,
    });
}
