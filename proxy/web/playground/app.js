/**
 * The playground: one question, three clients, and what arrives. Everything it needs comes from the proxy itself.
 */

import { refusal } from "../client.js";
import { authorization, CLIENTS, curl } from "./three-clients.js";
import { AnswerView, ArrivalView } from "./view.js";

/**
 * @param {string} id
 * @returns {any}
 */
const element = (id) => document.getElementById(id);
const form = element("ask");
const stop = element("stop");

/** The client whose command is shown, and the stream that runs. */
let chosen = "fetch";
/** @type {AbortController | null} */
let running = null;

function question() {
    return { prompt: element("prompt").value, model: element("model").value, key: element("key").value.trim() };
}

/**
 * @param {string} sentence
 * @param {"" | "busy" | "good" | "bad"} [state]
 */
function say(sentence, state = "") {
    element("status").textContent = sentence;
    element("status").className = state;
}

function showCommand() {
    element("curl").textContent = curl(chosen, question());
    for (const button of form.querySelectorAll("[data-client]")) {
        button.setAttribute("aria-pressed", String(button.dataset.client === chosen));
    }
}

/**
 * Any failure as a sentence.
 *
 * @param {any} error
 */
function sentence(error) {
    if (error.name === "AbortError") return "Stopped: the connection is closed, and with it the upstream’s work.";
    if (error instanceof TypeError) return "The proxy could not be reached, or the connection broke.";
    const wait = error.retryAfterS == null ? "" : ` Try again in ${error.retryAfterS} s.`;
    const name = error.requestId == null ? "" : ` (request ${error.requestId})`;
    return `${error.message}${wait}${name}`;
}

/** @param {string} client */
async function ask(client) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    chosen = client;
    showCommand();
    stop.disabled = false;
    say("Asking …", "busy");
    const answer = new AnswerView();
    const arrivals = new ArrivalView();
    const current = () => running === mine; // a newer question owns the page
    try {
        const end = await CLIENTS[client](
            { ...question(), signal: mine.signal },
            {
                arrived: (raw, kind) => current() && arrivals.arrived(raw, kind),
                event: (event) => current() && answer.event(event),
                snapshot: (text) => current() && answer.snapshot(text),
            },
        );
        if (current()) say(end, "good");
    } catch (error) {
        if (current()) say(sentence(error), /** @type {any} */ (error).name === "AbortError" ? "" : "bad");
    } finally {
        if (current()) {
            answer.end();
            stop.disabled = true;
            running = null;
        }
    }
}

/** Fills the list of models; keeps the choice where it still exists. */
async function listModels() {
    const select = element("model");
    try {
        const response = await fetch(new URL("v1/models", document.baseURI), { headers: authorization(question().key) });
        if (response.status !== 200) throw await refusal(response);
        /** @type {string[]} */
        const names = (await response.json()).data.map((/** @type {{id: string}} */ model) => model.id);
        if (names.length === 0) names.push("any"); // only the row for every name is configured
        const before = select.value;
        select.replaceChildren(...names.map((name) => new Option(name)));
        if (names.includes(before)) select.value = before;
        if (element("status").className === "bad") say("Choose how to ask.");
    } catch (error) {
        say(`The models could not be listed: ${sentence(error)}`, "bad");
    }
    showCommand();
}

form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const button = /** @type {HTMLElement | null} */ (event.submitter);
    ask(button?.dataset.client ?? chosen);
});
form.addEventListener("input", showCommand);
element("key").addEventListener("change", listModels);
element("prompt").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(form.querySelector(`[data-client=${chosen}]`));
});
stop.addEventListener("click", () => running?.abort());
element("copy").addEventListener("click", async () => {
    const button = element("copy");
    try {
        await navigator.clipboard.writeText(element("curl").textContent);
        button.textContent = "Copied";
    } catch {
        button.textContent = "Select it"; // pages on plain http, other than localhost, may not copy
        getSelection()?.selectAllChildren(element("curl"));
    }
    setTimeout(() => {
        button.textContent = "Copy";
    }, 1500);
});

new ArrivalView();
showCommand();
listModels();
