/** The playground: what is asked, of whom, and the buttons. Everything it needs comes from the proxy itself. */

import { authorization, knowDialects, listDialects, streamAt } from "./dialects.js";
import { element } from "./dom.js";
import { Lane } from "./lane.js";
import { snippet } from "./snippets.js";
import { chooseLanguage, otherLanguage, remember, remembered, setLanguage, spoken, word } from "./words.js";

const VISITED = "visited";
/** This tab's streams that are not over: [stream, model], for when the page is loaded again. */
const RUNNING = "running";
/** What the page's address has of the form, so that it can be given to others: behind a #, where no server reads it. The
 * key is never in it. */
const SHARED = ["prompt", "model", "dialect", "beside", "scenario", "fault", "speed", "extra"];
/** @type {[string, string][]} what ran when the page was left */
const before = JSON.parse(remembered(RUNNING, "sessionStorage") ?? "[]");
/** What the address asked for and no list has had yet. */
const wanted = new URLSearchParams(location.hash.slice(1));
const form = element("ask");

/** @typedef {{name: string, upstreams: string[], played: boolean}} Model */
/** @typedef {Record<string, Record<string, string>>} Choices what each does, by language */
/** @type {{models: Model[], scenarios?: Choices, faults?: Choices}} */
let about = { models: [] };
/** @type {Lane[]} */
let lanes = [];
/** @type {"curl" | "python" | "javascript"} */
let language = "curl";

/** @param {string} sentence */
function complain(sentence) {
    element("problem").textContent = sentence;
}

/** What stands in the form, for one model. Throws a sentence.
 * @param {string} model
 * @returns {import("./dialects.js").Question} */
function question(model) {
    const said = element("extra").value.trim();
    /** @type {any} */
    let extra = {};
    try {
        if (said !== "") extra = JSON.parse(said);
    } catch {
        extra = null;
    }
    if (extra === null || typeof extra !== "object" || Array.isArray(extra)) throw new RangeError(word("bad_extra"));
    return { dialect: element("dialect").value, model, prompt: element("prompt").value, key: element("key").value.trim(), extra, wishes: wishes(model) };
}

/** What a mock is to play. @param {string} model */
function wishes(model) {
    /** @type {Record<string, string>} */
    const said = {};
    if (!isPlayed(model)) return said;
    for (const [name, id] of [["scenario", "scenario"], ["fault", "fault"], ["tokens-per-s", "speed"]]) {
        const value = element(id).value.trim();
        if (value !== "") said[`x-mock-${name}`] = value;
    }
    return said;
}

/** @param {string} name */
function isPlayed(name) {
    return about.scenarios !== undefined && (about.models.find((model) => model.name === name)?.played ?? true);
}

function chosen() {
    const names = [element("model").value, element("beside").value];
    return names.filter((name) => name !== "");
}

/** Fills the form as the address says, as far as its lists have it. */
function takeWanted() {
    for (const name of SHARED) {
        const value = wanted.get(name);
        if (value === null) continue;
        const field = element(name);
        const before = field.value;
        field.value = value;
        if (field.value === value) wanted.delete(name);
        else field.value = before;
    }
}

/** The page's address with this behind it. @param {[string, string][]} rows */
function address(...rows) {
    const url = new URL(location.href);
    url.search = String(new URLSearchParams({ lang: spoken() }));
    url.hash = String(new URLSearchParams(rows.filter(([, value]) => value !== "")));
    return url.href;
}

function ask() {
    if (!knows()) return;
    for (const lane of lanes) lane.stop();
    complain("");
    try {
        lanes = chosen().map((name) => new Lane(question(name), update));
    } catch (error) {
        complain(/** @type {Error} */ (error).message);
        return;
    }
    history.replaceState(null, "", address(...SHARED.map((name) => /** @type {[string, string]} */ ([name, element(name).value]))));
    showLanes();
    for (const lane of lanes) lane.ask();
}

function showLanes() {
    element("lanes").className = lanes.length > 1 ? "beside" : "";
    element("lanes").replaceChildren(...lanes.map((lane) => lane.node));
    update();
}

/** Whether the proxy has said what there is. */
const knows = () => element("dialect").value !== "";

/** The buttons and the command, as they now can be used. */
function update() {
    const busy = lanes.filter((lane) => lane.state === "busy");
    element("stop").disabled = !lanes.some((lane) => lane.state === "busy" || lane.state === "left");
    element("leave").disabled = !busy.some((lane) => lane.stream !== "");
    element("resume").disabled = !lanes.some((lane) => lane.state === "left");
    const running = lanes.filter((lane) => lane.stream !== "" && (lane.state === "busy" || lane.state === "left"));
    remember(RUNNING, JSON.stringify(running.map((lane) => [lane.stream, lane.model])), "sessionStorage");
    const watched = lanes.find((lane) => lane.stream !== "");
    element("watch").hidden = watched === undefined;
    if (watched !== undefined) {
        element("watch").href = address(["watch", watched.stream], ["model", element("model").value], ["dialect", element("dialect").value]);
    }
    for (const field of form.querySelectorAll(".mock")) field.hidden = !chosen().some(isPlayed);
    if (!knows()) return;
    try {
        element("snippet").textContent = snippet(language, question(element("model").value));
        if (element("problem").textContent === word("bad_extra")) complain("");
    } catch (error) {
        complain(/** @type {Error} */ (error).message);
    }
}

/** Fills a list, keeping the choice where it still exists.
 * @param {string} id @param {[string, string][]} rows value and text */
function fill(id, rows) {
    const list = element(id);
    const before = list.value;
    list.replaceChildren(...rows.map(([value, text]) => new Option(text, value)));
    if (rows.some(([value]) => value === before)) list.value = before;
}

function fillLists() {
    /** @type {[string, string][]} */
    const names = about.models.map(({ name, upstreams }) => [name, upstreams.includes(name) ? name : `${name} (${upstreams.join(", ")})`]);
    fill("model", names.length > 0 ? names : [["any", "any"]]);
    fill("beside", [["", word("nothing")], ...names]);
    fill("dialect", listDialects(spoken()));
    fill("scenario", [["", word("own")], ...rows(about.scenarios)]);
    fill("fault", [["", word("none")], ...rows(about.faults)]);
    takeWanted();
}

/** @param {Choices} [choices] @returns {[string, string][]} */
function rows(choices = {}) {
    return Object.entries(choices).map(([name, does]) => [name, word("choice", { name, does: does[spoken()] })]);
}

/** Asks the proxy what there is. @returns {Promise<boolean>} whether something can be asked */
async function learn() {
    try {
        const response = await fetch(new URL("playground/about", document.baseURI), { headers: authorization(element("key").value.trim()) });
        const told = await response.json();
        about = told;
        knowDialects(told.dialects);
        element("version").textContent = told.version;
        element("key-field").hidden = !told.key_wanted && element("key").value === "";
        element("key-why").textContent = told.key_wanted ? (told.refused ? `${word("key_refused")} ${told.refused}` : word("key_wanted")) : "";
        fillLists();
        update();
        return !told.key_wanted;
    } catch {
        complain(word("unreachable"));
        return false;
    }
}

/** @param {string} chosenLanguage */
function speak(chosenLanguage) {
    const first = element("prompt").value === "" || element("prompt").value === word("first_prompt");
    setLanguage(chosenLanguage);
    if (first) element("prompt").value = word("first_prompt");
    element("language").textContent = word("language");
    element("language").lang = otherLanguage() === "zh" ? "zh-CN" : "en";
    fillLists();
    update();
}

async function begin() {
    chooseLanguage();
    speak(document.documentElement.lang.startsWith("zh") ? "zh" : "en");
    if (await learn()) await start();
}

/** @param {[string, string][]} streams with the model of each */
function watch(streams) {
    lanes = streams.map(([, model]) => new Lane(question(model), update));
    showLanes();
    lanes.forEach((lane, number) => lane.watch(streams[number][0]));
}

/** Those of the streams that the proxy still has. @param {[string, string][]} streams @returns {Promise<[string, string][]>} */
async function kept(streams) {
    const headers = authorization(element("key").value.trim());
    const asked = streams.map(([stream]) => fetch(streamAt(stream, "/status"), { headers }));
    const answers = await Promise.all(asked.map((answer) => answer.then(({ ok }) => ok, () => false)));
    return streams.filter((_, number) => answers[number]);
}

/** The id of a stream, out of an address that anybody may have made: null for what is none, as a path that leads elsewhere.
 * @param {string | null} said */
const watchable = (said) => (said !== null && /^\w+$/.test(said) ? said : null);

/** What a page does by itself once it may ask: it watches the stream of its address, goes on with what ran before it was
 * loaded again, or plays something on the first visit. */
async function start() {
    const told = new URLSearchParams(location.hash.slice(1));
    const stream = watchable(told.get("watch"));
    const running = stream === null ? await kept(before) : [];
    if (stream !== null) watch([[stream, element("model").value || "?"]]);
    else if (running.length > 0) {
        if (lanes.length === 0) watch(running);
    } else if (remembered(VISITED) === null && !SHARED.some((name) => told.has(name)) && about.models.every(({ played }) => played) && about.scenarios !== undefined) {
        remember(VISITED, "1");
        if ("markdown" in about.scenarios) element("scenario").value = "markdown";
        ask();
    }
}

form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    ask();
});
form.addEventListener("input", update);
element("key").addEventListener("change", async () => {
    if ((await learn()) && lanes.length === 0) await start();
});
element("prompt").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
element("stop").addEventListener("click", () => lanes.forEach((lane) => lane.stop()));
element("leave").addEventListener("click", () => lanes.forEach((lane) => lane.leave()));
element("resume").addEventListener("click", () => lanes.filter((lane) => lane.state === "left").forEach((lane) => lane.resume()));
element("language").addEventListener("click", () => {
    remember("lang", otherLanguage());
    speak(otherLanguage());
});
for (const button of element("same").querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
        language = button.dataset.language;
        for (const each of element("same").querySelectorAll("[data-language]")) each.setAttribute("aria-pressed", String(each === button));
        update();
    });
}
element("copy").addEventListener("click", async () => {
    const button = element("copy");
    try {
        await navigator.clipboard.writeText(element("snippet").textContent);
        button.textContent = word("copied");
    } catch {
        button.textContent = word("select"); // pages on plain http, other than localhost, may not copy
        getSelection()?.selectAllChildren(element("snippet"));
    }
    setTimeout(() => {
        button.textContent = word("copy");
    }, 1500);
});
addEventListener("hashchange", () => location.reload()); // another address was put in by hand

begin();
