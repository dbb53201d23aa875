/**
 * Reads Markdown beside the page, so that no text, however it is made, can hold the page up. Answers with a small tree of
 * plain data: [tag, attributes, children], a text, or null where the text is more than may be shown so.
 */

import { Lexer } from "../vendor/marked.js";

const MOST_NODES = 4000;
const MOST_DEPTH = 30;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", "#39": "'" };

let nodes = 0;

/** @param {any[] | undefined} tokens @param {number} depth @returns {any[]} */
function all(tokens, depth) {
    return (tokens ?? []).map((token) => tree(token, depth)).filter((node) => node !== null);
}

/** @param {string} text */
function decoded(text) {
    return text.replace(/&(amp|lt|gt|quot|apos|nbsp|#39);/g, (_, name) => ENTITIES[/** @type {keyof typeof ENTITIES} */ (name)]);
}

/** @param {any} token @param {number} depth @returns {any} */
function tree(token, depth) {
    nodes += 1;
    if (nodes > MOST_NODES || depth > MOST_DEPTH) throw new RangeError("too much");
    const inner = () => all(token.tokens, depth + 1);
    switch (token.type) {
        case "space":
        case "def":
            return null;
        case "heading":
            return [`h${Math.min(6, token.depth + 2)}`, {}, inner()]; // below the page's own headings
        case "paragraph":
            return ["p", {}, inner()];
        case "blockquote":
        case "strong":
        case "em":
        case "del":
            return [token.type, {}, inner()];
        case "code":
            return ["pre", {}, [["code", {}, [token.text]]]];
        case "codespan":
            return ["code", {}, [token.text]];
        case "br":
        case "hr":
            return [token.type, {}, []];
        case "list":
            return [token.ordered ? "ol" : "ul", token.ordered && token.start !== 1 ? { start: token.start } : {}, token.items.map((/** @type {any} */ item) => tree(item, depth + 1))];
        case "list_item":
            return ["li", {}, inner()];
        case "checkbox":
            return token.checked ? "\u2611 " : "\u2610 ";
        case "table":
            return table(token, depth + 1);
        case "link":
            return ["link", { href: token.href }, inner()];
        case "image":
            return ["picture", { href: token.href, text: token.text }, []];
        case "text":
            return token.tokens === undefined ? decoded(token.text) : ["span", {}, inner()];
        case "escape":
            return token.text;
        default:
            return token.raw; // markup in it is text like any other
    }
}

/** @param {any} token @param {number} depth */
function table(token, depth) {
    const row = (/** @type {any[]} */ cells, /** @type {string} */ tag) => ["tr", {}, cells.map((cell) => [tag, {}, all(cell.tokens, depth + 1)])];
    return ["table", {}, [["thead", {}, [row(token.header, "th")]], ["tbody", {}, token.rows.map((/** @type {any[]} */ cells) => row(cells, "td"))]]];
}

addEventListener("message", ({ data: { id, text } }) => {
    nodes = 0;
    try {
        const tokens = new Lexer({ gfm: true }).lex(text);
        postMessage({ id, blocks: tokens.map((token) => ({ size: token.raw.length, node: tree(token, 0) })) });
    } catch {
        postMessage({ id, blocks: null });
    }
});
