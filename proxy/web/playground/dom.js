/** Nodes, made one by one: no text ever becomes markup. */

/**
 * @param {string} id
 * @returns {any}
 */
export const element = (id) => document.getElementById(id);

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {...(Node | string)} content
 * @returns {HTMLElement}
 */
export function made(tag, className = "", ...content) {
    const node = document.createElement(tag);
    if (className !== "") node.className = className;
    node.append(...content);
    return node;
}

/** C0 and C1 controls but tab and line feed, and the embeddings, overrides and isolates that turn text around. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * The text with what cannot be seen made visible, so that nothing in it acts on what stands beside it.
 *
 * @param {string} text
 */
export function visible(text) {
    return text.replace(UNSEEN, (mark) => {
        const code = mark.charCodeAt(0);
        if (code < 0x20) return String.fromCharCode(0x2400 + code);
        return code === 0x7f ? "\u2421" : `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
    });
}

/**
 * An address that a stranger wrote, as a link if it is one of the web.
 *
 * @param {string} url
 * @param {...(Node | string)} content
 */
export function link(url, ...content) {
    if (!/^(https?:\/\/|mailto:)/i.test(url)) return made("span", "", ...content);
    const node = /** @type {HTMLAnchorElement} */ (made("a", "", ...content));
    node.href = url;
    node.rel = "noopener noreferrer nofollow";
    node.target = "_blank";
    return node;
}

/**
 * A picture that came with the answer; one that lies elsewhere is only a link, lest its server learn who looks at it.
 *
 * @param {string} url
 * @param {string} text
 */
export function picture(url, text) {
    if (!/^data:image\/(png|jpeg|gif|webp|avif);base64,/i.test(url)) return link(url, visible(text || url.slice(0, 200)));
    const node = /** @type {HTMLImageElement} */ (made("img", "picture"));
    node.alt = visible(text);
    node.src = url;
    return node;
}

/** A text longer than this is laid out in pieces, of which the browser leaves out those that are not in sight. */
const PIECE_CHARS = 2000;

/** Text that only grows, in bounded pieces. */
export class PlainText {
    /** @type {Text | null} */
    #last = null;

    constructor() {
        this.node = made("div", "plain");
    }

    /** @param {string} text */
    append(text) {
        for (let at = 0; at < text.length; ) {
            const room = PIECE_CHARS - (this.#last?.length ?? PIECE_CHARS);
            if (room <= 0) {
                this.#last = document.createTextNode("");
                this.node.append(made("div", "piece", this.#last));
                continue;
            }
            let end = at + room;
            if (/[\ud800-\udbff]/.test(text[end - 1])) end += 1; // both halves of a character
            this.#last?.appendData(text.slice(at, end));
            at = end;
        }
    }
}

/**
 * Keeps the end of what grows in sight, until its reader scrolls away from it. Sizes are only read where the browser has
 * just laid the page out.
 *
 * @param {HTMLElement} node
 * @returns {() => void} to be called when it has grown
 */
export function following(node) {
    let follows = true;
    let asked = false;
    node.addEventListener("scroll", () => {
        follows = node.scrollHeight - node.scrollTop - node.clientHeight < 60;
    });
    return () => {
        if (asked || !follows) return;
        asked = true;
        requestAnimationFrame(() => {
            asked = false;
            node.scrollTop = node.scrollHeight;
        });
    };
}
