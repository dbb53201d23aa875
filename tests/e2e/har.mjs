// Playwright's own HAR: records one stream of a page, or answers a page's request from a file. Prints the text that the page got.
//   node har.mjs /usr/bin/chromium record|replay FILE URL BODY
import { chromium } from "playwright-core";

const [executablePath, what, file, url, body] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu"] });
const record = { recordHar: { path: file, content: "embed" } };
const context = await browser.newContext(what === "record" ? record : {});
const page = await context.newPage();
const origin = new URL("/", url).href;
if (what === "replay") {
    await context.routeFromHAR(file, { notFound: "abort" });
    await context.route(origin, (route) => route.fulfill({ body: "a page", contentType: "text/html" }));
}
await page.goto(origin);
const got = await page.evaluate(
    async ([url, body]) => {
        const headers = { "content-type": "application/json", authorization: "Bearer a-secret-key" };
        const response = await fetch(url, { method: "POST", headers, body });
        return response.text();
    },
    [url, body],
);
await context.close();
await browser.close();
process.stdout.write(got);
