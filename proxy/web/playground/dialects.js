/**
 * How a client of each dialect asks, as the proxy tells it. A page asks in these forms, and what there is to copy is made
 * from them. In the texts of a body, and in a path, `{model}` and `{prompt}` stand for what is asked.
 *
 * @typedef {{name: string, label: Record<string, string>, path: string, body: Record<string, unknown>, omits: string[]}} Dialect
 */

/** @type {Map<string, Dialect>} */
let known = new Map();

/** @param {Dialect[]} dialects */
export function knowDialects(dialects) {
    known = new Map(dialects.map((dialect) => [dialect.name, dialect]));
}

/** By their names in a language, our own first. @param {string} language @returns {[string, string][]} name and label */
export function listDialects(language) {
    const rows = [...known.values()].map(({ name, label }) => /** @type {[string, string]} */ ([name, label[language]]));
    return rows.sort(([a, one], [b, other]) => Number(b === "native") - Number(a === "native") || one.localeCompare(other, language));
}

/**
 * The part of an answer that an event brings, where this dialect has no place for it.
 *
 * @param {string} dialect
 * @param {import("../mainstem.d.ts").StreamEvent} event
 */
export function omitted(dialect, event) {
    const part = event.type === "block.start" ? event.kind : event.type;
    return known.get(dialect)?.omits.includes(part) ? part : null;
}

/** @param {string} text @param {Record<string, string>} values */
const filledText = (text, values) => text.replace(/\{(model|prompt)\}/g, (_, name) => values[name]);

/** @param {any} part of a body @param {Record<string, string>} values @returns {any} */
function filled(part, values) {
    if (typeof part === "string") return filledText(part, values);
    if (Array.isArray(part)) return part.map((each) => filled(each, values));
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, filled(value, values)]));
}

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
    const { path, body } = /** @type {Dialect} */ (known.get(dialect));
    const url = new URL(filledText(path, { model: encodeURIComponent(model) }).slice(1), document.baseURI);
    return { url, body: { ...filled(body, { model, prompt }), ...extra }, headers: { "content-type": "application/json", ...wishes } };
}

/**
 * @param {string} key
 * @returns {Record<string, string>}
 */
export function authorization(key) {
    return key === "" ? {} : { authorization: `Bearer ${key}` };
}

/**
 * Where a stream is found. Its id is one part of the path, whatever stands in it.
 *
 * @param {string} stream
 * @param {string} [more] behind the id
 */
export function streamAt(stream, more = "") {
    return new URL(`v1/streams/${encodeURIComponent(stream)}${more}`, document.baseURI);
}
