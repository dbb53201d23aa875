/** The same question for a terminal, for Python and for JavaScript. A key is never written out. */

import { asked } from "./dialects.js";

const KEY = "MAINSTEM_KEY";

/**
 * @param {"curl" | "python" | "javascript"} language
 * @param {import("./dialects.js").Question} question
 */
export function snippet(language, question) {
    const { url, body, headers } = asked(question);
    const request = { url: url.href, body, headers, keyed: question.key !== "" };
    return { curl, python, javascript: question.dialect === "native" ? module_ : javascript }[language](request);
}

/** @typedef {{url: string, body: Record<string, unknown>, headers: Record<string, string>, keyed: boolean}} Request */

/** @param {Request} request */
function curl({ url, body, headers, keyed }) {
    const words = ["curl -N", quoted(url)];
    if (keyed) words.push(`-H "authorization: Bearer $${KEY}"`);
    for (const [name, value] of Object.entries(headers)) words.push("-H", quoted(`${name}: ${value}`));
    return [...words, "-d", quoted(JSON.stringify(body))].join(" ");
}

/** @param {Request} request */
function python({ url, body, headers, keyed }) {
    const rows = Object.entries(headers).map(([name, value]) => `    ${literal(name)}: ${literal(value)},`);
    if (keyed) rows.push(`    "authorization": "Bearer " + os.environ["${KEY}"],`);
    return [
        "import json",
        ...(keyed ? ["import os"] : []),
        "from urllib.request import Request, urlopen",
        "",
        `body = json.loads(${literal(JSON.stringify(body))})`,
        "headers = {",
        ...rows,
        "}",
        `request = Request(${literal(url)}, json.dumps(body).encode(), headers)`,
        "with urlopen(request) as answer:",
        "    for line in answer:",
        '        print(line.decode(), end="", flush=True)',
    ].join("\n");
}

/** @param {Request} request */
function javascript({ url, body, headers, keyed }) {
    return [
        ...own(keyed),
        `const response = await fetch(${literal(url)}, {`,
        '    method: "POST",',
        `    headers: ${shownHeaders(headers, keyed)},`,
        `    body: JSON.stringify(${JSON.stringify(body)}),`,
        "});",
        "if (!response.ok) throw new Error(await response.text());",
        "const decoder = new TextDecoder();",
        "for await (const bytes of response.body) console.log(decoder.decode(bytes, { stream: true }));",
    ].join("\n");
}

/** @param {Request} request */
function module_({ url, body, headers, keyed }) {
    const { "content-type": _, ...others } = headers;
    return [
        `import { events } from ${literal(new URL("web/client.js", document.baseURI).href)};`,
        "",
        ...own(keyed),
        "const stream = events({",
        `    url: ${literal(url)},`,
        `    body: ${JSON.stringify(body)},`,
        `    headers: ${shownHeaders(others, keyed)},`,
        "});",
        'for await (const event of stream) if (event.type === "text.delta") console.log(event.text);',
    ].join("\n");
}

/** Where a reader puts the key in. @param {boolean} keyed */
const own = (keyed) => (keyed ? [`const ${KEY} = "...";`] : []);

/**
 * @param {Record<string, string>} headers
 * @param {boolean} keyed
 */
function shownHeaders(headers, keyed) {
    const rows = Object.entries(headers).map(([name, value]) => `${literal(name)}: ${literal(value)}`);
    if (keyed) rows.push(`authorization: \`Bearer \${${KEY}}\``);
    return rows.length === 0 ? "{}" : `{ ${rows.join(", ")} }`;
}

/** A text in JSON is one in Python and JavaScript too, as long as it has no character beyond the Basic Multilingual Plane
 * written in two escapes, which JSON.stringify never does for whole ones.
 * @param {string} text */
function literal(text) {
    return JSON.stringify(text);
}

/** @param {string} word for a POSIX shell */
function quoted(word) {
    return `'${word.replaceAll("'", "'\\''")}'`;
}
