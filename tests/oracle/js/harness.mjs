// What the judges share. A judge is called with the proxy's address and the upstreams to ask (each a model of that name), and prints one
// JSON object: upstream -> case -> what the SDK gave, or what it threw. The tests are in test_js_sdks.py.

export const PROMPT = "What is a stream?";
export const RESULT = "21 degrees";
export const WEATHER = {
  name: "get_weather",
  description: "Weather of a city",
  schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
};
export const STATUSES = [401, 404, 429, 500];
export const BROKEN = ["close@4", "cut@4", "error@4"];

/** Headers by which the mock behind the proxy is told what to play. */
export function play(scenario, fault) {
  return { "x-mock-scenario": scenario, ...(fault && { "x-mock-fault": fault }) };
}

export function thrown(error) {
  const said = error?.error?.error ?? error?.error;
  return {
    threw: error?.constructor?.name ?? typeof error,
    status: error?.status ?? error?.statusCode ?? null,
    message: String(error?.message ?? error),
    kind: said?.type ?? null,
  };
}

/** Whether the newest request that the mock got holds this text. */
export async function wentUp(base, text) {
  const newest = await fetch(`${base}/mock/requests?limit=1`);
  return text ? (await newest.text()).includes(text) : null;
}

/** Runs `take` over what arrives; what came before it threw is kept. */
export async function until(take) {
  const seen = { text: "" };
  try {
    await take(seen);
    return { ...seen, threw: null };
  } catch (error) {
    return { ...seen, ...thrown(error) };
  }
}

/** One case for each way to fail: before the first byte with a status, and in the middle of a stream. */
export function failures(ask) {
  return Object.fromEntries([
    ...STATUSES.map((status) => [`status ${status}`, (at) => ask(at, play("hello", `status:${status}`))]),
    ...BROKEN.map((fault) => [`broken ${fault}`, (at) => ask(at, play("hello", fault))]),
  ]);
}

export async function judge(cases) {
  const [base, ...upstreams] = process.argv.slice(2);
  const answers = {};
  for (const model of upstreams) {
    answers[model] = {};
    for (const [name, run] of Object.entries(cases)) {
      try {
        answers[model][name] = await run({ base, model });
      } catch (error) {
        answers[model][name] = thrown(error);
      }
    }
  }
  process.stdout.write(JSON.stringify(answers));
}
