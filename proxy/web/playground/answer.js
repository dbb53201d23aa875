/** One answer, as a reader wants it: text as Markdown, reasoning folded, tool calls, sources and pictures. */

import { rewritten } from "../client.js";
import { following, link, made, picture, PlainText, visible } from "./dom.js";
import { MarkdownText } from "./markdown.js";
import { word } from "./words.js";

/** More of one answer than this is counted, not shown: a page is not to grow without bound. */
const MOST_CHARS = 400_000;
const MOST_BLOCKS = 500;

/** @typedef {{kind: string, view: MarkdownText | PlainText, pending: string[], said: string, changed: boolean}} Block */

export class AnswerView {
    #root;
    /** @type {Map<number, Block>} */
    #blocks = new Map();
    /** @type {Map<number, HTMLElement>} where a block's sources stand */
    #sources = new Map();
    #chars = 0;
    #full = false;
    #drawing = 0;
    #turn = 0; // how often it was asked for, or resumed
    #grown;

    /** @param {HTMLElement} root */
    constructor(root) {
        this.#root = root;
        this.#grown = following(root);
        root.replaceChildren();
        this.busy();
    }

    /** More comes: a screen reader may wait. */
    busy() {
        this.#turn += 1;
        this.#root.setAttribute("aria-busy", "true");
    }

    /** @param {import("../mainstem.d.ts").StreamEvent} event */
    event(event) {
        if (event.type === "block.start") this.#begin(event);
        else if (event.type === "text.delta" || event.type === "reasoning.delta") this.#say(event.block, event.text);
        else if (event.type === "tool_call.delta") this.#say(event.block, event.arguments);
        else if (event.type === "text.rewrite") this.#rewrite(event);
        else if (event.type === "citation") this.#cite(event);
        else if (event.type === "image") this.#add(made("p", "", picture(event.url, word("image"))));
    }

    async end() {
        this.#draw();
        const turn = this.#turn;
        for (const { view } of this.#blocks.values()) if (view instanceof MarkdownText) await view.settled();
        this.#grown();
        if (turn === this.#turn) this.#root.setAttribute("aria-busy", "false"); // else it goes on already
    }

    /** @param {HTMLElement} node */
    #add(node) {
        if (this.#root.childElementCount < MOST_BLOCKS) this.#root.append(node);
        else this.#overflow();
    }

    /** @param {import("../mainstem.d.ts").BlockStart} start */
    #begin({ block, kind, tool }) {
        if (this.#blocks.size >= MOST_BLOCKS) return;
        const view = kind === "text" ? new MarkdownText() : new PlainText();
        this.#blocks.set(block, { kind, view, pending: [], said: "", changed: false });
        if (kind === "text") {
            const box = made("div", "block text", view.node);
            this.#sources.set(block, box);
            this.#add(box);
            return;
        }
        const summary = made("summary", "", kind === "reasoning" ? word("reasoning") : `${word("tool_call")}: `);
        if (tool !== undefined) summary.append(made("code", "", visible(tool.name)));
        const box = /** @type {HTMLDetailsElement} */ (made("details", `block ${kind}`, summary, view.node));
        view.node.dir = "auto";
        box.open = kind === "tool_call";
        this.#sources.set(block, box);
        this.#add(box);
    }

    /** @param {number} number @param {string} text */
    #say(number, text) {
        const block = this.#blocks.get(number);
        if (block === undefined || this.#full) return;
        block.pending.push(text.slice(0, MOST_CHARS - this.#chars));
        this.#chars += text.length;
        if (this.#chars > MOST_CHARS) this.#overflow();
        this.#soon();
    }

    /** @param {import("../mainstem.d.ts").TextRewrite} rewrite */
    #rewrite(rewrite) {
        const block = this.#blocks.get(rewrite.block);
        if (block === undefined || this.#full) return;
        block.said = rewritten(block.said + block.pending.join(""), rewrite);
        block.pending = [];
        block.changed = true;
        this.#soon();
    }

    /** @param {import("../mainstem.d.ts").Citation} citation */
    #cite({ block, url, title, text }) {
        const words = visible((title ?? url ?? text ?? word("unnamed_source")).slice(0, 300));
        const box = this.#sources.get(block) ?? this.#root;
        if (box.querySelectorAll(".citation").length < MOST_BLOCKS) box.append(made("p", "citation", `${word("source")}: `, link(url ?? "", words)));
    }

    #overflow() {
        if (this.#full) return;
        this.#full = true;
        this.#root.append(made("p", "overflow", word("more_text")));
    }

    #soon() {
        this.#drawing ||= setTimeout(() => this.#draw(), 16); // a timer, as a hidden page has no animation frames
    }

    #draw() {
        clearTimeout(this.#drawing);
        this.#drawing = 0;
        for (const block of this.#blocks.values()) {
            if (block.pending.length === 0 && !block.changed) continue;
            const more = block.pending.join("");
            block.pending = [];
            block.said += more;
            if (block.changed && block.view instanceof MarkdownText) block.view.replace(block.said);
            else block.view.append(block.view instanceof MarkdownText ? more : visible(more));
            block.changed = false;
        }
        this.#grown();
    }
}
