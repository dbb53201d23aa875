/** Three columns, line against line: the vendor's bytes, the events in them, and the bytes that went to the client. */

import { following, made, visible } from "./dom.js";
import { word } from "./words.js";

/** Rows that are kept; a longer stream pushes the oldest out. */
const MOST_ROWS = 300;
/** Characters of one cell. The proxy cuts longer pieces too. */
const MOST_CHARS = 4000;
/** Rows that are made at a time; the browser then lays them out. */
const MOST_AT_ONCE = 25;

/** @typedef {import("./lane.js").Shown} Shown */

export class MicroscopeView {
    #rows;
    #grown;
    #earlier;
    /** @type {Map<number, Shown["chunks"][0]>} that no event has come of yet */
    #chunks = new Map();
    #lastChunk = -1;
    /** @type {{shown: Shown | null, chunks: Shown["chunks"]}[]} */
    #waiting = [];
    #dropped = 0;
    #drawing = 0;

    /** @param {HTMLElement} root @param {string} label */
    constructor(root, label) {
        const heads = ["vendor_bytes", "events", "client_bytes"].map((name) => columnHead(word(name)));
        const head = made("div", "row head", ...heads);
        head.setAttribute("role", "row");
        this.#rows = made("div", "rows");
        this.#rows.setAttribute("role", "rowgroup");
        const group = made("div", "heads", head);
        group.setAttribute("role", "rowgroup");
        this.#earlier = made("p", "earlier");
        const table = made("div", "pieces", group, this.#rows);
        table.setAttribute("role", "table");
        table.setAttribute("aria-label", label);
        table.tabIndex = 0;
        table.addEventListener("keydown", (event) => this.#move(event));
        for (const name of ["pointerover", "focusin"]) table.addEventListener(name, (event) => this.#link(event));
        this.#grown = following(table);
        root.replaceChildren(this.#earlier, table);
    }

    /** @param {Shown} shown */
    shown(shown) {
        for (const chunk of shown.chunks) {
            if (chunk.number > this.#lastChunk) this.#chunks.set(chunk.number, chunk);
        }
        this.#lastChunk = Math.max(this.#lastChunk, shown.chunks.at(-1)?.number ?? -1);
        /** @type {Shown["chunks"]} */
        const mine = [];
        for (const [number, chunk] of this.#chunks) {
            if (shown.source === null || number > shown.source) break;
            mine.push(chunk);
            this.#chunks.delete(number);
        }
        this.#push({ shown, chunks: mine });
    }

    end() {
        if (this.#chunks.size > 0) this.#push({ shown: null, chunks: [...this.#chunks.values()] });
        this.#chunks.clear();
        this.#draw();
    }

    /** @param {{shown: Shown | null, chunks: Shown["chunks"]}} row */
    #push(row) {
        this.#waiting.push(row);
        if (this.#waiting.length > 2 * MOST_ROWS) {
            this.#dropped += this.#waiting.length - MOST_ROWS;
            this.#waiting = this.#waiting.slice(-MOST_ROWS);
        }
        this.#drawing ||= setTimeout(() => this.#draw(), 60);
    }

    #draw() {
        clearTimeout(this.#drawing);
        this.#drawing = 0;
        this.#rows.append(...this.#waiting.splice(0, MOST_AT_ONCE).map(rowOf));
        while (this.#rows.childElementCount > MOST_ROWS) {
            this.#rows.firstElementChild?.remove();
            this.#dropped += 1;
        }
        this.#earlier.textContent = this.#dropped > 0 ? word("earlier", { count: this.#dropped }) : "";
        this.#grown();
        if (this.#waiting.length > 0) this.#drawing = setTimeout(() => this.#draw(), 20);
    }

    /** Shows which rows came of the same chunk. @param {Event} event */
    #link(event) {
        const row = /** @type {HTMLElement} */ (event.target).closest?.("[data-source]");
        const source = /** @type {HTMLElement | null} */ (row)?.dataset.source ?? "";
        for (const each of this.#rows.children) {
            each.classList.toggle("kin", source !== "" && /** @type {HTMLElement} */ (each).dataset.source === source);
        }
    }

    /** @param {KeyboardEvent} event */
    #move(event) {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step === undefined) return;
        const rows = /** @type {HTMLElement[]} */ ([...this.#rows.children]);
        const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
        const to = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
        if (to === undefined) return;
        event.preventDefault();
        to.focus();
    }
}

/** @param {string} text */
function columnHead(text) {
    const node = made("div", "cell", text);
    node.setAttribute("role", "columnheader");
    return node;
}

/** @param {string} className @param {...(Node | string)} content */
function cell(className, ...content) {
    const node = made("div", `cell ${className}`, ...content);
    node.setAttribute("role", "cell");
    return node;
}

/** @param {{shown: Shown | null, chunks: Shown["chunks"]}} row */
function rowOf({ shown, chunks }) {
    const raw = chunks.map(({ number, at, size, upstream, raw: bytes }) => {
        const label = made("span", "about", `${visible(upstream)} · ${word("chunk", { number, at: at.toFixed(0), size })}`);
        return made("div", "chunk", label, code(text(bytes), size, bytes));
    });
    const cells = [cell("raw", ...raw), cell("event", ...(shown === null ? [] : eventOf(shown))), cell("out", ...(shown === null ? [] : [outOf(shown)]))];
    const node = made("div", `row ${colour(shown?.event.type ?? "")}`, ...cells);
    node.setAttribute("role", "row");
    node.tabIndex = -1;
    const source = shown === null ? chunks[0]?.number : shown.source;
    if (source != null) node.dataset.source = String(source);
    return node;
}

/** @param {Shown} shown */
function eventOf({ event, at, id, source }) {
    const { type, ...rest } = event;
    const json = JSON.stringify(rest).slice(0, MOST_CHARS);
    const from = source === null ? "" : ` · ← ${source}`;
    return [made("span", "about", `${at.toFixed(0)} ms · #${id.slice(id.lastIndexOf(":") + 1)}${from}`), made("b", "type", visible(type)), made("code", "", visible(json))];
}

/** @param {Shown} shown */
function outOf({ size, out }) {
    return size === 0 ? made("span", "about", word("nothing_sent")) : code(text(out), size, out);
}

/** @param {string} shownText @param {number} size @param {string} base64 */
function code(shownText, size, base64) {
    const node = made("code", "", shownText.slice(0, MOST_CHARS));
    if (size > Math.min((base64.length * 3) / 4, MOST_CHARS)) node.append(made("span", "about", word("cut_bytes", { size })));
    return node;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes as text, with what is no text made visible. @param {string} base64 */
function text(base64) {
    const binary = atob(base64);
    const bytes = Uint8Array.from(binary.slice(0, 4 * MOST_CHARS), (mark) => mark.charCodeAt(0));
    return visible(utf8.decode(bytes));
}

/** @param {string} type */
function colour(type) {
    if (type === "stream.error") return "error";
    if (type.startsWith("reasoning")) return "reasoning";
    if (type.startsWith("tool_call")) return "tool";
    return type.startsWith("text") ? "text" : "other";
}
