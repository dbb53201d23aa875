/** Markdown as it grows: read by a worker, made into nodes here. */

import { link, made, picture, PlainText, visible } from "./dom.js";

const PATIENCE_MS = 1500;
/** More text than this without the end of a block is shown as it is. */
const MOST_OPEN_CHARS = 16_000;

/** @type {Worker | null} */
let worker = null;
let lastId = 0;
/** @type {{id: number, text: string, done: (blocks: any[] | null) => void, timer: number} | null} */
let current = null;
/** @type {{id: number, text: string, done: (blocks: any[] | null) => void, timer: number}[]} */
const waiting = [];

/** Trusted Types want a word from us for a script's address; ours is fixed. */
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("mainstem", { createScriptURL: (/** @type {string} */ url) => url });

function started() {
    const url = new URL("markdown-worker.js", import.meta.url).href;
    const made_ = new Worker(policy?.createScriptURL(url) ?? url, { type: "module" });
    made_.onmessage = ({ data }) => {
        if (data.id === current?.id) settle(data.blocks);
    };
    made_.onerror = () => settle(null);
    return made_;
}

function next() {
    const asked = current === null ? waiting.shift() : undefined;
    if (asked === undefined) return;
    current = asked;
    worker ??= started();
    worker.postMessage({ id: asked.id, text: asked.text });
    asked.timer = setTimeout(() => {
        worker?.terminate(); // it is at a text that was made to take long
        worker = null;
        settle(null);
    }, PATIENCE_MS);
}

/** @param {any[] | null} blocks */
function settle(blocks) {
    const asked = current;
    current = null;
    if (asked !== null) {
        clearTimeout(asked.timer);
        asked.done(blocks);
    }
    next();
}

/**
 * @param {string} text
 * @returns {Promise<{size: number, node: any}[] | null>}
 */
function read(text) {
    return new Promise((done) => {
        lastId += 1;
        waiting.push({ id: lastId, text, done, timer: 0 });
        next();
    });
}

/**
 * @param {any} tree what the worker gives for one block
 * @returns {Node}
 */
function built(tree) {
    if (typeof tree === "string") return document.createTextNode(visible(tree));
    const [tag, attributes, children] = tree;
    if (tag === "picture") return picture(attributes.href, attributes.text);
    const inside = children.map(built);
    if (tag === "link") return link(attributes.href, ...inside);
    const node = made(tag, "", ...inside);
    if (attributes.start !== undefined) node.setAttribute("start", String(attributes.start));
    return node;
}

/** One text of an answer. `node` shows it; `append` and `replace` return at once, and what they change is shown soon. */
export class MarkdownText {
    #open = ""; // whose end is not known yet
    #shown = made("div", "open");
    #busy = false;
    /** @type {(() => void)[]} who wait until all is shown */
    #waiting = [];
    #dirty = false;
    #version = 0;
    /** @type {PlainText | null} */
    #plain = null;

    constructor() {
        this.node = made("div", "markdown", this.#shown);
        this.node.dir = "auto";
    }

    /** @param {string} text */
    append(text) {
        if (this.#plain !== null) {
            this.#plain.append(visible(text));
            return;
        }
        this.#open += text.replaceAll("\r", "");
        if (this.#open.length > MOST_OPEN_CHARS) this.#giveUp();
        else this.#read();
    }

    /** @param {string} text all of it */
    replace(text) {
        this.#version += 1;
        this.#open = "";
        this.#plain = null;
        this.#shown.replaceChildren();
        this.node.replaceChildren(this.#shown);
        this.append(text);
    }

    #giveUp() {
        this.#version += 1;
        this.#plain = new PlainText();
        this.#plain.append(visible(this.#open));
        this.#open = "";
        this.#shown.replaceChildren(this.#plain.node);
    }

    async #read() {
        this.#dirty = true;
        if (this.#busy) return;
        this.#busy = true;
        while (this.#dirty && this.#plain === null) {
            this.#dirty = false;
            const version = this.#version;
            const blocks = await read(this.#open);
            if (version !== this.#version) continue;
            if (blocks === null) this.#giveUp();
            else this.#show(blocks);
            await new Promise((done) => setTimeout(done, 30)); // as often as an eye can see
        }
        this.#busy = false;
        for (const done of this.#waiting.splice(0)) done();
    }

    /** Returns when all of it is shown. */
    async settled() {
        if (this.#busy) await new Promise((done) => this.#waiting.push(() => done(undefined)));
    }

    /** All blocks but the last two will stay as they are, and are not read again.
     * @param {{size: number, node: any}[]} blocks */
    #show(blocks) {
        const settled = Math.max(0, blocks.length - 2);
        const nodes = blocks.map(({ node }) => (node === null ? null : built(node)));
        const kept = nodes.slice(0, settled).filter((node) => node !== null);
        this.#shown.before(.../** @type {Node[]} */ (kept));
        this.#shown.replaceChildren(.../** @type {Node[]} */ (nodes.slice(settled).filter((node) => node !== null)));
        this.#open = this.#open.slice(blocks.slice(0, settled).reduce((sum, { size }) => sum + size, 0));
    }
}
