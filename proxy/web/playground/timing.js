/**
 * When an answer arrived: a few numbers, and a strip of its gaps. Times are in milliseconds since the proxy was asked. The
 * strip is one path of SVG, which a chart library (uPlot: 50 KB) would draw on a canvas that no screen reader reads.
 */

import { made } from "./dom.js";
import { word } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const CONTENT = new Set(["text.delta", "text.rewrite", "reasoning.delta", "tool_call.delta"]);
/** Gaps that are drawn; of more, neighbours are joined, the longest standing for all. */
const MOST_BARS = 400;
const HEIGHT = 48;
const LEAST_SPENT_MS = 20;

export class TimingView {
    #root;
    #first = { byte: /** @type {number | null} */ (null), content: /** @type {number | null} */ (null) };
    #last = 0;
    /** @type {number[]} */
    #gaps = [];
    #joined = 1; // how many gaps a bar stands for
    #inBar = 0;
    #count = 0;
    /** @type {any} */
    #usage = null;
    #total = 0;
    #drawing = 0;

    /** @param {HTMLElement} root */
    constructor(root) {
        this.#root = root;
        this.#draw();
    }

    /** @param {import("./lane.js").Shown} shown */
    shown({ at, chunks, event }) {
        if (chunks.length > 0 && this.#first.byte === null) this.#first.byte = chunks[0].at;
        this.#total = at;
        if (CONTENT.has(event.type)) this.#content(at);
        if ("usage" in event && event.usage) this.#usage = event.usage;
        else if (event.type === "usage") this.#usage = event;
        this.#drawing ||= setTimeout(() => this.#draw(), 100);
    }

    end() {
        this.#draw();
    }

    /** @param {number} at */
    #content(at) {
        this.#count += 1;
        if (this.#first.content === null) this.#first.content = at;
        else this.#gap(at - this.#last);
        this.#last = at;
    }

    /** @param {number} ms */
    #gap(ms) {
        if (this.#inBar === 0) this.#gaps.push(ms);
        else this.#gaps[this.#gaps.length - 1] = Math.max(this.#gaps[this.#gaps.length - 1], ms);
        this.#inBar = (this.#inBar + 1) % this.#joined;
        if (this.#gaps.length > MOST_BARS) {
            this.#gaps = this.#gaps.filter((_, n) => n % 2 === 0).map((gap, n) => Math.max(gap, this.#gaps[2 * n + 1] ?? 0));
            this.#joined *= 2;
            this.#inBar = 0;
        }
    }

    #draw() {
        clearTimeout(this.#drawing);
        this.#drawing = 0;
        const said = made("p", "gaps-text", this.#summary());
        this.#root.replaceChildren(this.#numbers(), made("h3", "", word("gaps")), this.#strip(), said);
    }

    #numbers() {
        const { byte, content } = this.#first;
        const usage = this.#usage ?? {};
        const spent = content === null ? 0 : this.#last - content;
        // of what came at once, or was not counted, there is none
        const rate = usage.output_tokens > 0 && spent >= LEAST_SPENT_MS ? (usage.output_tokens / spent) * 1000 : null;
        const known = (/** @type {unknown} */ value) => (value == null ? word("unknown") : String(value));
        const tokens = usage.input_tokens == null && usage.output_tokens == null ? null : `${known(usage.input_tokens)} / ${known(usage.output_tokens)}`;
        const cost = usage.cost == null ? null : `${usage.cost.amount} ${usage.cost.currency}`;
        const rows = [
            ["first_byte", ms(byte)],
            ["first_content", ms(content)],
            ["total", this.#total === 0 ? null : ms(this.#total)],
            ["rate", rate === null ? null : rate.toFixed(1)],
            ["tokens", tokens],
            ["cost", cost],
        ];
        return made("dl", "numbers", ...rows.map(([name, value]) => made("div", "", made("dt", "", word(/** @type {string} */ (name))), made("dd", String(name), value ?? word("unknown")))));
    }

    #strip() {
        const longest = Math.max(1, ...this.#gaps);
        const width = 1000 / Math.max(40, this.#gaps.length);
        const path = document.createElementNS(SVG, "path");
        const bars = this.#gaps.map((gap, n) => `M${(n * width + width / 2).toFixed(1)} ${HEIGHT}v-${((Math.log1p(gap) / Math.log1p(longest)) * (HEIGHT - 2)).toFixed(1)}`);
        path.setAttribute("d", bars.join(""));
        path.setAttribute("vector-effect", "non-scaling-stroke");
        const strip = document.createElementNS(SVG, "svg");
        strip.setAttribute("viewBox", `0 0 1000 ${HEIGHT}`);
        strip.setAttribute("preserveAspectRatio", "none");
        strip.setAttribute("role", "img");
        strip.setAttribute("aria-label", this.#summary());
        strip.append(path);
        return strip;
    }

    #summary() {
        if (this.#gaps.length === 0) return word("no_gaps");
        const sorted = this.#gaps.toSorted((a, b) => a - b);
        return word("gaps_text", { count: this.#count, median: sorted[sorted.length >> 1].toFixed(0), longest: sorted[sorted.length - 1].toFixed(0) });
    }
}

/** @param {number | null} value */
function ms(value) {
    if (value === null) return null;
    return value < 1000 ? `${value.toFixed(value < 10 ? 1 : 0)} ms` : `${(value / 1000).toFixed(2)} s`;
}
