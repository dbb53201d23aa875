/**
 * Mainstem's client for browsers (and Node 20 or newer): one prompt in, typed events out. No dependency, no build step.
 *
 *     import { events } from "https://<your proxy>/web/client.js";
 *     for await (const event of events({ url, body: { model: "fast", prompt: "Hello" } })) {
 *         if (event.type === "text.delta") show(event.text);
 *     }
 *
 * What it promises: every event once and in order; a normal end only after `stream.end`; a MainstemError for all else (a
 * refused request, an error in the stream, a stream that breaks off). Leaving the loop or aborting the signal closes the connection,
 * and with it, unless the proxy is told otherwise, the upstream's work.
 *
 * @typedef {import("./mainstem.d.ts").StreamEvent} StreamEvent
 * @typedef {import("./mainstem.d.ts").StreamRequest} StreamRequest
 * @typedef {import("./mainstem.d.ts").StreamEnd} StreamEnd
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
 * @typedef {{event: string, data: string, id: string}} Frame `event` is "message" where the stream names none
 */
export class FrameParser {
    #decoder = new TextDecoder(); // drops a byte order mark at the start, holds back half a character
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
        const text = this.#decoder.decode(bytes, { stream: true });
        /** @type {Frame[]} */
        const frames = [];
        if (text === "") return frames;
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
 *
 * @param {object} options
 * @param {string | URL} options.url the native endpoint, for example "https://proxy.example.com/v1/stream"
 * @param {StreamRequest} [options.body]
 * @param {Record<string, string>} [options.headers] for example {authorization: "Bearer ..."}
 * @param {AbortSignal} [options.signal] aborting it rejects with its reason (an AbortError)
 * @param {(frame: Frame) => void} [options.onFrame] sees each frame before it is read as JSON
 * @param {typeof fetch} [options.fetch] another fetch, for tests
 * @returns {AsyncGenerator<StreamEvent, void, undefined>}
 * @throws {MainstemError}
 */
export async function* events({ url, body, headers = {}, signal, onFrame, fetch: send = fetch }) {
    const response = await request(send, url, body, headers, signal);
    const requestId = response.headers.get("x-request-id");
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const parser = new FrameParser();
    try {
        for (;;) {
            const { done, value } = await read(reader, signal, requestId);
            if (done) throw truncated(requestId);
            for (const frame of parser.feed(value)) {
                onFrame?.(frame);
                const event = parseEvent(frame.data, requestId);
                yield event;
                if (event.type === "stream.end") return;
                if (event.type === "stream.error") throw failed(event.error, requestId);
            }
        }
    } finally {
        reader.cancel().catch(() => {}); // it may have broken off by itself: then there is nothing to close
    }
}

/**
 * The same with a callback: resolves with the `stream.end`, rejects as `events` throws.
 *
 * @param {Parameters<typeof events>[0] & {onEvent?: (event: StreamEvent) => void}} options
 * @returns {Promise<StreamEnd>}
 */
export async function stream({ onEvent, ...options }) {
    for await (const event of events(options)) {
        onEvent?.(event);
        if (event.type === "stream.end") return event;
    }
    throw truncated(null);
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
 * @param {StreamRequest | undefined} body
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
