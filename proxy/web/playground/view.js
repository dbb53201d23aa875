/**
 * What the page shows of one answer: the text as it grows, the frames as they come, and a picture of when they came.
 */

import { rewritten } from "../client.js";

/** Rows kept of the frames: enough to read back in, few enough to stay quick. */
const MAX_ROWS = 400;

/** What is told apart by colour, in the list and in the picture. */
/** @type {Record<string, string>} */
const COLOURS = {
    "text.delta": "text",
    "text.rewrite": "text",
    read: "text",
    "reasoning.delta": "reasoning",
    "tool_call.delta": "tool",
    "stream.error": "error",
    unread: "error",
};

/** @param {string} kind */
const colourOf = (kind) => COLOURS[kind] ?? "other";

/**
 * @param {string} id
 * @returns {any}
 */
const element = (id) => document.getElementById(id);

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
function made(tag, className, text = "") {
    const node = document.createElement(tag);
    node.className = className;
    node.textContent = text;
    return node;
}

/** The answer: one element for each block. */
export class AnswerView {
    #root = element("answer");
    /** @type {Map<number, Text>} */
    #texts = new Map();

    constructor() {
        this.#root.replaceChildren();
        this.#root.setAttribute("aria-busy", "true");
    }

    /** @param {import("../mainstem.d.ts").StreamEvent} event */
    event(event) {
        switch (event.type) {
            case "block.start":
                this.#begin(event.block, event.kind, event.tool?.name);
                break;
            case "text.delta":
            case "reasoning.delta":
                this.#texts.get(event.block)?.appendData(event.text);
                break;
            case "tool_call.delta":
                this.#texts.get(event.block)?.appendData(event.arguments);
                break;
            case "text.rewrite": {
                const shown = this.#texts.get(event.block);
                if (shown !== undefined) shown.data = rewritten(shown.data, event);
                break;
            }
            case "citation":
                this.#cite(event);
                break;
            default:
        }
        this.#root.scrollTop = this.#root.scrollHeight;
    }

    /** @param {string} text the whole answer so far */
    snapshot(text) {
        if (!this.#texts.has(0)) this.#begin(0, "text");
        /** @type {Text} */ (this.#texts.get(0)).data = text;
        this.#root.scrollTop = this.#root.scrollHeight;
    }

    end() {
        this.#root.setAttribute("aria-busy", "false");
    }

    /**
     * @param {number} block
     * @param {string} kind
     * @param {string} [tool] the name of the tool that is called
     */
    #begin(block, kind, tool) {
        const box = made("div", `block ${kind}`);
        if (kind !== "text") box.append(made("span", "label", tool === undefined ? "Reasoning" : `Tool call: ${tool}`));
        const text = document.createTextNode("");
        box.append(text);
        this.#texts.set(block, text);
        this.#root.append(box);
    }

    /** @param {import("../mainstem.d.ts").Citation} citation */
    #cite({ url, title, text }) {
        const words = title ?? url ?? text ?? "a source without a name";
        const link = /^https?:/.test(url ?? "");
        const node = made(link ? "a" : "span", "citation", words);
        if (link) /** @type {HTMLAnchorElement} */ (node).href = /** @type {string} */ (url);
        this.#root.append(node);
    }
}

/** The frames, and the picture of their arrival. Times are in milliseconds since the request was sent. */
export class ArrivalView {
    #list = element("frames");
    #began = performance.now();
    /** @type {{at: number, size: number, colour: string}[]} */
    #arrivals = [];
    #drawn = 0; // the animation frame that is asked for, 0 when none is

    constructor() {
        this.#list.replaceChildren();
        this.#draw();
    }

    /**
     * @param {string} raw
     * @param {string} kind
     */
    arrived(raw, kind) {
        const at = performance.now() - this.#began;
        const colour = colourOf(kind);
        this.#arrivals.push({ at, size: raw.length, colour });
        const follows = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
        const row = made("li", colour);
        row.append(made("span", "at", seconds(at)), made("span", "kind", kind), made("code", "raw", raw));
        this.#list.append(row);
        if (this.#list.children.length > MAX_ROWS) this.#list.firstElementChild.remove();
        if (follows) this.#list.scrollTop = this.#list.scrollHeight;
        if (this.#drawn === 0) this.#drawn = requestAnimationFrame(() => this.#draw());
    }

    /** Each arrival a line: where is when, how high is how much. */
    #draw() {
        this.#drawn = 0;
        const last = this.#arrivals.at(-1)?.at ?? 0;
        const end = Math.max(1000, last * 1.04);
        /** @type {Map<string, string>} */
        const paths = new Map();
        for (const { at, size, colour } of this.#arrivals) {
            const height = Math.min(94, 16 + 16 * Math.log2(1 + size / 16));
            const line = `M${((at / end) * 1000).toFixed(1)} 96v-${height.toFixed(1)}`;
            paths.set(colour, (paths.get(colour) ?? "") + line);
        }
        const drawn = [...paths].map(([colour, d]) => {
            const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
            path.setAttribute("class", colour);
            path.setAttribute("d", d);
            path.setAttribute("vector-effect", "non-scaling-stroke");
            return path;
        });
        element("arrivals").replaceChildren(...drawn);
        element("axis-end").textContent = seconds(end);
        element("count").textContent = this.#arrivals.length === 0 ? "" : String(this.#arrivals.length);
        element("arrivals-text").textContent = this.#summary();
    }

    #summary() {
        const all = this.#arrivals;
        if (all.length === 0) return "Nothing has arrived yet.";
        const gaps = all.slice(1).map(({ at }, n) => at - all[n].at);
        const text = all.find(({ colour }) => colour !== "other");
        const parts = [`${all.length} arrivals in ${seconds(all[all.length - 1].at)}`];
        if (text !== undefined) parts.push(`first content after ${seconds(text.at)}`);
        if (gaps.length > 0) {
            gaps.sort((a, b) => a - b);
            parts.push(`usual gap ${gaps[gaps.length >> 1].toFixed(0)} ms, longest ${gaps[gaps.length - 1].toFixed(0)} ms`);
        }
        return `${parts.join(" · ")}.`;
    }
}

/** @param {number} ms */
function seconds(ms) {
    return `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
}
