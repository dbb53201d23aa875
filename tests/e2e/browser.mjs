// Drives headless Chromium: one JSON line on standard input is one visit, one JSON line on standard output what came of it.
//   node browser.mjs /usr/bin/chromium
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const browser = await chromium.launch({
    executablePath: process.argv[2],
    headless: true,
    args: [
        "--no-sandbox", // containers and CI run as root
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ],
});

/** Asks again and again: a function that waits inside the page would need eval, which our page's policy forbids. */
async function until(page, expression, timeout) {
    const deadline = performance.now() + timeout;
    while (!(await page.evaluate(expression))) {
        if (performance.now() > deadline) throw new Error(`still not so after ${timeout} ms`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

const axe = () => readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds at fault: [impact, rule, where]. */
async function faults(page) {
    await page.evaluate(axe());
    const { violations } = await page.evaluate("axe.run()");
    return violations.flatMap(({ impact, id, nodes }) => nodes.map(({ target }) => [impact, id, target.join(" ")]));
}

/** What the page holds, after a collection: bytes of its JavaScript heap, and nodes. */
async function memory(page) {
    const protocol = await page.context().newCDPSession(page);
    await protocol.send("Performance.enable");
    await protocol.send("HeapProfiler.collectGarbage");
    const { metrics } = await protocol.send("Performance.getMetrics");
    await protocol.detach();
    const value = (name) => metrics.find((metric) => metric.name === name).value;
    return { heap: value("JSHeapUsedSize"), nodes: value("Nodes") };
}

/** Begins to note the tasks of the page. */
const watchTasks = (page) => browser.startTracing(page, { categories: ["toplevel", "__metadata"] });

/** The longest task of any page's main thread since then, in ms of processor time: other programs do not add to it. */
async function longestTask() {
    const { traceEvents } = JSON.parse(await browser.stopTracing());
    const mains = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
    const main = new Set(mains.map(({ pid, tid }) => `${pid} ${tid}`));
    const used = traceEvents.filter(({ tdur, pid, tid }) => tdur !== undefined && main.has(`${pid} ${tid}`));
    if (used.length === 0) throw new Error("no task was noted");
    return used.reduce((most, { tdur }) => Math.max(most, tdur), 0) / 1000;
}

/** One step on the page; gives the value of a step that asks for one, else undefined. */
async function take(page, step, timeout) {
    if (step.wait !== undefined) await until(page, step.wait, timeout);
    else if (step.evaluate !== undefined) return page.evaluate(step.evaluate);
    else if (step.axe !== undefined) return faults(page);
    else if (step.memory !== undefined) return memory(page);
    else if (step.tasks === "watch") await watchTasks(page);
    else if (step.tasks === "longest") return longestTask();
    else if (step.reload !== undefined) await page.reload({ timeout });
    else if (step.press !== undefined) await page.keyboard.press(step.press);
    else if (step.click !== undefined) await page.click(step.click, { timeout });
    else if (step.fill !== undefined) await page.fill(step.fill, step.text, { timeout });
    else if (step.select !== undefined) await page.selectOption(step.select, step.text, { timeout });
    else if (step.screenshot !== undefined) await page.screenshot({ path: step.screenshot, fullPage: step.whole ?? true });
    else throw new Error(`no such step: ${JSON.stringify(step)}`);
    return undefined;
}

/** Every request, with its status once known. Preflights are seen only by the browser's own protocol. */
async function watch(context, page) {
    const sent = new Map();
    const protocol = await context.newCDPSession(page);
    protocol.on("Network.requestWillBeSent", ({ requestId, request, type }) => {
        sent.set(requestId, { type, method: request.method, url: request.url, status: null });
    });
    protocol.on("Network.responseReceived", ({ requestId, response }) => {
        if (sent.has(requestId)) sent.get(requestId).status = response.status;
    });
    await protocol.send("Network.enable");
    return sent;
}

async function visit({ url, steps, width, height, dark, storage, timeout_ms: timeout }) {
    const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: dark ? "dark" : "light",
        ignoreHTTPSErrors: true, // a test's certificate signs itself
    });
    await context.addInitScript((rows) => {
        if (location.origin === "null") return; // a new tab's first page has no storage
        for (const [name, value] of Object.entries(rows)) localStorage.setItem(name, value);
    }, storage);
    const values = [];
    const console_ = [];
    context.on("page", (opened) => {
        opened.on("console", (message) => console_.push(`${message.type()}: ${message.text()}`));
        opened.on("pageerror", (error) => console_.push(`uncaught: ${error}`));
    });
    const tabs = [await context.newPage()];
    let page = tabs[0];
    const sent = await watch(context, page);
    const outcome = { values, console: console_ };
    try {
        await page.goto(url, { timeout });
        for (const step of steps) {
            if (step.tab !== undefined) {
                tabs[step.tab] ??= await context.newPage();
                page = tabs[step.tab];
                if (step.url !== undefined) await page.goto(step.url, { timeout });
                continue;
            }
            const value = await take(page, step, timeout).catch((error) => {
                throw new Error(`${JSON.stringify(step)}: ${error.message}`);
            });
            if ("evaluate" in step || "axe" in step || "memory" in step || step.tasks === "longest") values.push(value ?? null);
        }
    } catch (error) {
        outcome.error = error.message;
        outcome.state = await page.evaluate("JSON.stringify(window.result ?? document.body.innerText)").catch(() => null);
    }
    outcome.sent = [...sent.values()];
    await context.close();
    return outcome;
}

/** A visit that cannot end, whatever hangs, is an error like others. */
async function bounded(job) {
    let timer;
    const late = new Promise((resolve) => {
        const ms = 5 * job.timeout_ms;
        timer = setTimeout(() => resolve({ error: `the visit did not end within ${ms} ms`, console: [], state: null, sent: [] }), ms);
    });
    const outcome = await Promise.race([visit(job), late]);
    clearTimeout(timer);
    return outcome;
}

for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await bounded(JSON.parse(line)))}\n`);
}
await browser.close();
