/**
 * One question to one model, and all that is shown of it. The request is the one that a client of the chosen dialect sends;
 * one header more has the proxy answer with the pieces of the stream (proxy/relay/microscope.py).
 *
 * @typedef {{number: number, at: number, upstream: string, size: number, raw: string}} Chunk
 * @typedef {object} Shown one event and what belongs to it; bytes are in base64, times in ms since the proxy was asked
 * @property {number} at
 * @property {Chunk[]} chunks
 * @property {number | null} source the number of the chunk that the event came of
 * @property {string} id
 * @property {import("../mainstem.d.ts").StreamEvent} event
 * @property {number} size
 * @property {string} out
 */

import { FrameParser, refusal } from "../client.js";
import { AnswerView } from "./answer.js";
import { asked, authorization, omitted, streamAt } from "./dialects.js";
import { made, visible } from "./dom.js";
import { MicroscopeView } from "./microscope.js";
import { TimingView } from "./timing.js";
import { word } from "./words.js";

const LOOKS = { "x-mainstem-microscope": "1" };
/** Work is done in slices of this length, so that the page answers to its user meanwhile. */
const SLICE_MS = 12;
/** Of one read, so much is taken at a time. */
const SLICE_BYTES = 32_768;

/** Of a refusal's body, as the client of the dialect gets it. */
const MOST_REFUSAL_CHARS = 10_000;

/** @typedef {"idle" | "busy" | "good" | "bad" | "left"} State */

export class Lane {
    /** Of the stream, where the proxy keeps it; "" where it does not.
     * @type {string} */
    stream = "";
    /** @type {State} */
    state = "idle";
    #question;
    #changed;
    #lastId = "";
    #over = false;
    #stopped = false;
    /** @type {AbortController | null} */
    #running = null;
    #status = made("p", "status");
    #notes = made("ul", "notes");
    #omitted = new Set(); // parts of the answer that the client's dialect has no place for
    #answer = made("div", "answer");
    #timing = made("div", "timing");
    #pieces = made("div", "microscope");
    /** @type {AnswerView} */
    #answerView;
    /** @type {TimingView} */
    #timingView;
    /** @type {MicroscopeView} */
    #piecesView;

    /**
     * @param {import("./dialects.js").Question} question
     * @param {() => void} changed is called when `state` or `stream` has changed
     */
    constructor(question, changed) {
        this.#question = question;
        this.#changed = changed;
        const name = question.model;
        this.#status.setAttribute("role", "status");
        this.#answer.setAttribute("role", "region");
        this.#answer.setAttribute("aria-label", `${word("answer")}: ${name}`);
        this.#answer.setAttribute("aria-live", "polite");
        this.#answer.tabIndex = 0;
        this.#notes.setAttribute("aria-label", word("notes"));
        this.#notes.hidden = true;
        const scope = made("details", "scope", made("summary", "", word("microscope")), this.#pieces);
        /** @type {HTMLDetailsElement} */ (scope).open = true;
        this.node = made("section", "lane", made("h2", "", visible(name)), this.#status, this.#notes, this.#answer, this.#timing, scope);
        this.node.setAttribute("aria-label", name);
        this.#answerView = new AnswerView(this.#answer);
        this.#timingView = new TimingView(this.#timing);
        this.#piecesView = this.#newPieces();
    }

    get model() {
        return this.#question.model;
    }

    /** Ask; returns when the stream is over, for this page. */
    async ask() {
        const { url, body, headers } = asked(this.#question);
        const init = { method: "POST", headers: { ...headers, ...authorization(this.#question.key), ...LOOKS }, body: JSON.stringify(body) };
        await this.#follow(url, init);
    }

    /** Follow a stream that goes on without this page. @param {string} stream */
    async watch(stream) {
        this.stream = stream;
        await this.resume();
    }

    /** Go on behind the last event that was seen. */
    async resume() {
        const headers = { ...authorization(this.#question.key), ...LOOKS, ...(this.#lastId === "" ? {} : { "last-event-id": this.#lastId }) };
        await this.#follow(streamAt(this.stream, `?dialect=${this.#question.dialect}`), { headers });
    }

    /** End the stream, for everybody who reads it. */
    async stop() {
        this.#stopped = true;
        if (this.stream !== "") {
            await fetch(streamAt(this.stream), { method: "DELETE", headers: authorization(this.#question.key) }).catch(() => {});
        }
        this.#running?.abort("stopped");
        this.#say(word("stopped"), "idle");
    }

    /** Drop the connection and let the stream go on. */
    leave() {
        this.#running?.abort("dropped");
    }

    /** @param {URL} url @param {RequestInit} init */
    async #follow(url, init) {
        const mine = new AbortController();
        this.#running = mine;
        this.#answerView.busy();
        this.#say(word("asking"), "busy");
        try {
            await this.#read(await fetch(url, { ...init, signal: mine.signal, cache: "no-store" }));
        } catch (error) {
            if (mine.signal.aborted) this.#say(word(mine.signal.reason), mine.signal.reason === "dropped" ? "left" : "idle");
            else this.#say(error instanceof TypeError ? word("unreachable") : String(/** @type {any} */ (error).message), this.#canResume() ? "left" : "bad");
        } finally {
            this.#running = null;
            this.#answerView.end();
            this.#timingView.end();
            this.#piecesView.end();
        }
    }

    /** @param {Response} response */
    async #read(response) {
        if (response.status === 204) return this.#say(word("ended", { reason: "204" }), "good");
        if (response.status !== 200 || response.body === null) {
            const body = await response.clone().text();
            this.#answer.replaceChildren(made("pre", "refusal", visible(body.slice(0, MOST_REFUSAL_CHARS))));
            const error = await refusal(response);
            return this.#say(word("refused", { status: response.status, message: error.message }), "bad");
        }
        this.stream = response.headers.get("x-resumable-stream-id") ?? this.stream;
        this.#say(word("running"), "busy");
        const parser = new FrameParser();
        const reader = response.body.getReader();
        let slice = performance.now();
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            for (let at = 0; at < value.length; at += SLICE_BYTES) {
                for (const frame of parser.feed(value.subarray(at, at + SLICE_BYTES))) {
                    this.#show(JSON.parse(frame.data));
                    if (performance.now() - slice > SLICE_MS) {
                        await new Promise((resume) => setTimeout(resume, 0));
                        slice = performance.now();
                    }
                }
            }
        }
        if (!this.#over) this.#say(word("cut"), this.#canResume() ? "left" : "bad");
    }

    /** @param {Shown} shown */
    #show(shown) {
        const { event } = shown;
        if (event.type === "stream.start") this.#begin(event);
        this.#lastId = shown.id;
        this.#answerView.event(event);
        this.#timingView.shown(shown);
        this.#piecesView.shown(shown);
        this.#noteOmitted(event);
        if (event.type === "stream.end") {
            this.#over = true;
            this.#say(word("ended", { reason: event.finish.reason }), "good");
        } else if (event.type === "stream.error") {
            this.#over = true;
            this.#say(word("failed", { kind: event.error.kind, message: event.error.message }), "bad");
        }
    }

    /** A start may come again: where the beginning is not kept any more, or this dialect has no numbers.
     * @param {import("../mainstem.d.ts").StreamStart} start */
    #begin({ model, upstream, upstream_model: theirs, notes }) {
        if (this.#lastId !== "") {
            this.#answerView = new AnswerView(this.#answer);
            this.#timingView = new TimingView(this.#timing);
            this.#piecesView = this.#newPieces();
        }
        this.#omitted.clear();
        this.node.querySelector("h2")?.replaceChildren(visible(model), made("small", "", ` ${visible(upstream)} · ${visible(theirs)}`));
        this.#notes.hidden = notes.length === 0;
        this.#notes.replaceChildren(...notes.map(({ note, param, message }) => made("li", "", made("b", "", `${note} ${visible(param)}`), ` ${visible(message)}`)));
    }

    /** Says once what the client does not get. @param {import("../mainstem.d.ts").StreamEvent} event */
    #noteOmitted(event) {
        const part = omitted(this.#question.dialect, event);
        if (part === null || this.#omitted.has(part)) return;
        this.#omitted.add(part);
        this.#notes.append(made("li", "", made("b", "", `dropped ${part}`), ` ${word("omitted")}`));
        this.#notes.hidden = false;
    }

    #newPieces() {
        return new MicroscopeView(this.#pieces, `${word("microscope")}: ${this.#question.model}`);
    }

    #canResume() {
        return this.stream !== "" && !this.#over;
    }

    /** @param {string} sentence @param {State} state */
    #say(sentence, state) {
        if (this.#stopped) [sentence, state] = [word("stopped"), "idle"]; // whatever the stream says to it
        this.#status.textContent = visible(sentence);
        this.#status.className = `status ${state}`;
        this.state = state;
        this.#changed();
    }
}
