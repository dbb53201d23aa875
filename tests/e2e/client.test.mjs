// proxy/web/client.js by itself: its framing against split vectors, its promises against a server that misbehaves.
// Run by test_client.py, or alone: node --test tests/e2e/client.test.mjs
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import { ask, events, FrameParser, MainstemError, rewritten, stream } from "../../proxy/web/client.js";

const utf8 = (text) => new TextEncoder().encode(text);

/** Every way of cutting that is tried on every vector: whole, byte by byte, in twos and threes, after each single byte. */
function* cuts(bytes) {
    yield [bytes];
    for (const size of [1, 2, 3, 7]) {
        const pieces = [];
        for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
        yield pieces;
    }
    if (bytes.length < 200) for (let at = 1; at < bytes.length; at++) yield [bytes.slice(0, at), new Uint8Array(), bytes.slice(at)];
}

/** So many splits, the same each time. */
function* randomCuts(bytes, count) {
    let state = 1;
    const below = (most) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state % most;
    };
    for (let n = 0; n < count; n++) {
        const pieces = [];
        for (let at = 0; at < bytes.length; ) {
            const size = below(bytes.length < 40 ? 4 : 40);
            pieces.push(bytes.slice(at, at + size));
            at += size;
        }
        yield pieces;
    }
}

function parse(pieces) {
    const parser = new FrameParser();
    return pieces.flatMap((piece) => parser.feed(piece));
}

const frame = (data, event = "message", id = "") => ({ event, data, id });

// [what holds, the stream, its frames]
const VECTORS = [
    ["a line is ended by LF, CR or CRLF alike", "data: a\n\ndata: b\r\rdata: c\r\n\r\n", [frame("a"), frame("b"), frame("c")]],
    ["line ends may be mixed within one event", "data: a\r\ndata: b\rdata: c\n\n", [frame("a\nb\nc")]],
    ["a byte order mark is dropped at the start only", "\ufeffdata: a\n\n\ufeffdata: b\n\n", [frame("a")]],
    ["one space after the colon belongs to the field, a second to the value", "data:a\n\ndata:  a\n\ndata: \n\n", [frame("a"), frame(" a"), frame("")]],
    ["several data lines are joined by line feeds", "data: a\ndata\ndata: b\n\n", [frame("a\n\nb")]],
    ["data without a colon is an empty line of data", "data\n\n", [frame("")]],
    ["an event without data is none", "event: x\n\nid: 1\n\ndata: a\n\n", [frame("a", "message", "1")]],
    ["comments are nothing, with a blank line or without", ": ping\ndata: a\n\n: ping\n\n:\ndata: b\n\n", [frame("a"), frame("b")]],
    ["the event's name holds for one event, its id from then on", "event: e\nid: 7\ndata: a\n\ndata: b\n\n", [frame("a", "e", "7"), frame("b", "message", "7")]],
    ["an id with a NUL is ignored, an empty one resets it", "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\n", [frame("a", "message", "1"), frame("b", "message", "1"), frame("c")]],
    ["unknown fields and other spellings are ignored", "Data: a\n data: b\nretry: 10\nfoo: bar\ndata: c\n\n", [frame("c")]],
    ["what the end of the stream leaves incomplete is no event", "data: a\n\ndata: b\n", [frame("a")]],
    ["characters of every width survive every cut", "data: é漢😀\n\ndata: {\"t\":\"👩‍👩‍👧\"}\r\n\r\n", [frame("é漢😀"), frame('{"t":"👩‍👩‍👧"}')]],
    ["a colon in the value is part of it", "data: a:b: c\n\n", [frame("a:b: c")]],
    ["blank lines alone are nothing", "\n\r\n\r\n\ndata: a\n\n", [frame("a")]],
];

describe("framing", () => {
    for (const [name, text, expected] of VECTORS) {
        test(name, () => {
            for (const pieces of cuts(utf8(text))) assert.deepEqual(parse(pieces), expected);
        });
    }

    test("bytes that are no UTF-8 become the replacement character", () => {
        const bytes = Uint8Array.from([...utf8("data: a"), 0xff, 0xe6, 0xbc, ...utf8("b\n\n")]);
        for (const pieces of cuts(bytes)) assert.deepEqual(parse(pieces), [frame("a\ufffd\ufffdb")]);
    });

    test("a large event in single bytes costs no more than its size", () => {
        const parser = new FrameParser();
        const bytes = utf8(`data: ${"x".repeat(1024 * 1024)}\n\n`);
        const frames = [];
        for (let at = 0; at < bytes.length; at++) frames.push(...parser.feed(bytes.subarray(at, at + 1)));
        assert.equal(frames[0].data.length, 1024 * 1024);
    });

    test("an event without end is given up", () => {
        const parser = new FrameParser();
        const piece = utf8(`data: ${"x".repeat(1024 * 1024)}`);
        assert.throws(() => {
            for (let i = 0; i < 17; i++) parser.feed(piece);
        }, { name: "MainstemError", kind: "malformed" });
    });

    const shared = process.env.MAINSTEM_SSE_VECTORS ?? "";
    test("the shared vectors of the HTML standard", { skip: !(shared && existsSync(shared)) && "sse_vectors.json is absent: its cases were not tested" }, () => {
        for (const vector of JSON.parse(readFileSync(shared, "utf8"))) {
            const bytes = new Uint8Array(Buffer.from(vector.input_base64, "base64"));
            const expected = vector.strict_events.map(({ event, data, id }) => ({ event, data, id }));
            for (const pieces of [...cuts(bytes), ...randomCuts(bytes, 200)]) assert.deepEqual(parse(pieces), expected, vector.name);
        }
    });

    test("two hundred splits at random of all vectors at once change nothing", () => {
        const bytes = utf8(VECTORS.map(([, text]) => text.replaceAll("\ufeff", "")).join("\n\n: next\n\n"));
        const expected = parse([bytes]);
        for (const pieces of randomCuts(bytes, 200)) assert.deepEqual(parse(pieces), expected);
    });
});

/** Answers each path with a function of the response, and remembers who hung up. */
/** Breaks the newest connection that waits for it. Its client does it when it has seen what came: a runtime may drop what it holds
 * when a connection is reset. */
let cut = () => {};

const served = {
    "/whole": (res) => {
        res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
        res.write(': ping\nid: s:0\ndata: {"type":"stream.start","stream":"s"}\n\nid: s:1\ndata: {"type":"text.delta","block":0,"te');
        setTimeout(() => res.end('xt":"héllo"}\n\nid: s:2\ndata: {"type":"stream.end","finish":{"reason":"stop","raw":null}}\n\n'), 10);
    },
    "/failed": (res) => {
        res.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "r1" });
        res.end('data: {"type":"stream.error","error":{"kind":"idle_timeout","message":"Too long.","retryable":true,"status":504,"retry_after_s":3}}\n\n');
    },
    "/short": (res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.end('data: {"type":"text.delta","block":0,"text":"a"}\n\n');
    },
    "/cut": (res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write('data: {"type":"text.delta","block":0,"text":"a"}\n\n', () => res.destroy());
    },
    "/garbage": (res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.end("data: [DONE]\n\n");
    },
    "/page": (res) => {
        res.writeHead(200, { "content-type": "text/html" });
        res.end("<h1>Hello</h1>");
    },
    "/busy": (res) => {
        res.writeHead(429, { "content-type": "application/json", "retry-after": "7", "x-request-id": "r2" });
        res.end('{"error":{"kind":"rate_limited","message":"Wait a little.","retryable":true}}');
    },
    "/gateway": (res) => {
        res.writeHead(502, { "content-type": "text/html" });
        res.end("<h1>Bad Gateway</h1>");
    },
    "/v1/stream": (res) => {
        res.writeHead(200, { "content-type": "text/event-stream", "x-resumable-stream-id": "s" });
        res.write('id: s:0\ndata: {"type":"stream.start","stream":"s","notes":[]}\n\nid: s:1\ndata: {"type":"block.start","block":0,"kind":"text"}\n\n');
        res.write('id: s:2\ndata: {"type":"text.delta","block":0,"text":"one "}\n\nid: s:3\ndata: {"type":"text.de');
        cut = () => res.destroy();
    },
    "/v1/streams/s": (res, tries) => {
        if (tries === 1) res.writeHead(503, { "retry-after": "0" }).end();
        else if (tries === 2) res.destroy();
        else {
            res.writeHead(200, { "content-type": "text/event-stream" });
            res.write('id: s:3\ndata: {"type":"text.delta","block":0,"text":"two"}\n\nid: s:4\ndata: {"type":"tool_call.delta","block":9,"arguments":"?"}\n\n');
            res.end('id: s:5\ndata: {"type":"stream.end","finish":{"reason":"stop","raw":null},"usage":{"output_tokens":2}}\n\n');
        }
    },
    "/lost/stream": (res) => {
        res.writeHead(200, { "content-type": "text/event-stream", "x-resumable-stream-id": "gone" });
        res.write('id: s:0\ndata: {"type":"stream.start","stream":"s","notes":[]}\n\n');
        cut = () => res.destroy();
    },
    "/lost/streams/gone": (res) => res.destroy(),
    "/forever": (res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write('data: {"type":"text.delta","block":0,"text":"a"}\n\n');
    },
};

describe("a stream", () => {
    const hungUp = new Map();
    const asked = [];
    const tries = new Map();
    let base = "";
    const server = createServer((req, res) => {
        const pieces = [];
        req.on("data", (piece) => pieces.push(piece));
        req.on("end", () => {
            asked.push({ url: req.url, method: req.method, headers: req.headers, body: Buffer.concat(pieces).toString() });
            tries.set(req.url, (tries.get(req.url) ?? 0) + 1);
            served[req.url](res, tries.get(req.url));
        });
        hungUp.set(req.url, new Promise((resolve) => res.on("close", () => resolve(!res.writableEnded))));
    });
    before(() => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve)).then(() => {
        base = `http://127.0.0.1:${server.address().port}`;
    }));
    after(() => server.close());

    const fails = (path, expected) => assert.rejects(stream({ url: base + path, body: { model: "m" } }), (error) => {
        assert.ok(error instanceof MainstemError);
        for (const [name, value] of Object.entries(expected)) assert.deepEqual(error[name], value);
        return true;
    });

    test("gives each event once, in order, and its end as the result", async () => {
        const types = [];
        const frames = [];
        const end = await stream({
            url: `${base}/whole`,
            body: { model: "m", prompt: "hi" },
            headers: { authorization: "Bearer k" },
            onEvent: (event) => types.push(event.type),
            onFrame: (one) => frames.push(one.id),
        });
        assert.deepEqual(types, ["stream.start", "text.delta", "stream.end"]);
        assert.deepEqual(frames, ["s:0", "s:1", "s:2"]);
        assert.equal(end.finish.reason, "stop");
        const { method, headers, body } = asked.at(-1);
        assert.deepEqual(JSON.parse(body), { model: "m", prompt: "hi" });
        assert.deepEqual([method, headers["content-type"], headers.authorization], ["POST", "application/json", "Bearer k"]);
    });

    test("without a body is a GET", async () => {
        await stream({ url: `${base}/whole` });
        assert.equal(asked.at(-1).method, "GET");
    });

    test("that fails in the band gives the event and then throws it", async () => {
        const types = [];
        const running = stream({ url: `${base}/failed`, onEvent: (event) => types.push(event.type) });
        await assert.rejects(running, { message: "Too long.", kind: "idle_timeout", status: 504, retryable: true, retryAfterS: 3, requestId: "r1" });
        assert.deepEqual(types, ["stream.error"]);
    });

    test("that ends without a terminal event is no success", () => fails("/short", { kind: "truncated", retryable: true }));
    test("whose connection is cut is no success", () => fails("/cut", { kind: "truncated", retryable: true }));
    test("that is not ours is refused", () => fails("/garbage", { kind: "malformed" }));
    test("that is a web page is refused", () => fails("/page", { kind: "malformed", status: 200 }));
    test("that is refused throws the server's own words", () =>
        fails("/busy", { message: "Wait a little.", kind: "rate_limited", status: 429, retryable: true, retryAfterS: 7, requestId: "r2" }));
    test("that a gateway refuses says at least the status", () =>
        fails("/gateway", { message: "The server answered with status 502 and gave no reason.", status: 502, retryable: true }));

    test("that nobody answers says where nothing was found", async () => {
        const nobody = () => Promise.reject(new TypeError("Failed to fetch"));
        await assert.rejects(stream({ url: "http://nobody.example/v1/stream", fetch: nobody }), { kind: "unreachable", message: /nobody\.example/ });
    });

    test("is closed when its reader leaves the loop", async () => {
        for await (const event of events({ url: `${base}/forever`, body: {} })) {
            assert.equal(event.type, "text.delta");
            break;
        }
        assert.equal(await hungUp.get("/forever"), true);
    });

    test("is closed when its signal is aborted, and says so", async () => {
        const controller = new AbortController();
        const running = stream({ url: `${base}/forever`, body: {}, signal: controller.signal, onEvent: () => controller.abort() });
        await assert.rejects(running, { name: "AbortError" });
        assert.equal(await hungUp.get("/forever"), true);
    });

    test("whose connection breaks goes on behind the last event, where it is kept", async () => {
        const answer = ask({ url: `${base}/v1/stream`, body: { model: "m", prompt: "hi" }, headers: { authorization: "Bearer k" }, waitMs: 1, onFrame: ({ id }) => id === "s:2" && cut() });
        const types = [];
        for await (const event of answer) types.push(event.type);
        assert.deepEqual(types, ["stream.start", "block.start", "text.delta", "text.delta", "tool_call.delta", "stream.end"]);
        const { ok, text, usage, finish, error } = await answer.whole;
        assert.deepEqual([ok, text, usage.output_tokens, finish.reason, error], [true, "one two", 2, "stop", null]);
        const again = asked.filter(({ url }) => url === "/v1/streams/s");
        assert.deepEqual(again.map(({ method, headers }) => [method, headers["last-event-id"], headers.authorization]), Array(3).fill(["GET", "s:2", "Bearer k"]));
        assert.equal(asked.filter(({ url }) => url === "/v1/stream").length, 1);
    });

    test("that cannot be come back to is given up after so many tries", async () => {
        const { ok, error } = await ask({ url: `${base}/lost/stream`, body: { model: "m" }, retries: 3, waitMs: 1, onFrame: () => cut() }).whole;
        assert.deepEqual([ok, error.kind], [false, "unreachable"]);
        assert.equal(tries.get("/lost/streams/gone"), 3);
    });

    test("is not come back to once its signal is aborted", async () => {
        const controller = new AbortController();
        const answer = ask({ url: `${base}/lost/stream`, body: { model: "m" }, signal: controller.signal, waitMs: 1e6, mostWaitMs: 1e6 });
        setTimeout(() => controller.abort(), 20);
        assert.equal((await answer.whole).error.kind, "aborted");
    });

    for (const [path, kind] of [["/busy", "rate_limited"], ["/short", "truncated"], ["/page", "malformed"], ["/failed", "idle_timeout"], ["/garbage", "malformed"]]) {
        test(`that fails is a value: ${path}`, async () => {
            const answer = ask({ url: base + path, body: { model: "m" } });
            const events = [];
            for await (const event of answer) events.push(event);
            assert.deepEqual([events.at(-1).type, events.at(-1).error.kind], ["stream.error", kind]);
            assert.equal(events.filter(({ type }) => type === "stream.error").length, 1);
            const { ok, error } = await answer.whole;
            assert.deepEqual([ok, error.kind], [false, kind]);
        });
    }

    test("that its reader leaves is closed, and what had come is told", async () => {
        const answer = ask({ url: `${base}/forever`, body: {} });
        for await (const _ of answer) break;
        const { ok, error } = await answer.whole;
        assert.deepEqual([ok, error.kind], [false, "left"]);
        assert.equal(await hungUp.get("/forever"), true);
    });

    test("is not begun with a signal that is aborted already", async () => {
        await assert.rejects(stream({ url: `${base}/forever`, signal: AbortSignal.abort() }), { name: "AbortError" });
    });
});

test("a rewrite keeps whole characters, however wide", () => {
    assert.equal(rewritten("a😀b漢", { keep: 2, text: "!" }), "a😀!");
    assert.equal(rewritten("abc", { keep: 0, text: "" }), "");
});
