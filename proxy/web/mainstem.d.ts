// Mainstem native schema, version 1. Generated from the code: do not edit.

/** Speech or sound: `url` is a data: URL that holds it in base64 (`data:audio/wav;base64,`). */
export interface AudioPart {
  type: "audio";
  url: string;
}

/**
 * The block is complete.
 *
 * `signature` is what the vendor must see again in a later turn, with the reasoning or the call that it belongs
 * to. `format` says whose it is (`proxy/codec/proofs.py` has the words). `redacted`: the signature is the whole
 * reasoning, encrypted, and the block has no text. `id` is the vendor's name of the reasoning, where that must
 * go back too.
 */
export interface BlockEnd {
  type: "block.end";
  block: number;
  signature?: string;
  format?: string;
  redacted?: boolean;
  id?: string;
}

/**
 * `tool` only for a tool call; `choice` only when the upstream answers several times (choice 0 may leave it
 * out). `refusal`: the text says that the model will not answer.
 */
export interface BlockStart {
  type: "block.start";
  block: number;
  kind: "reasoning" | "text" | "tool_call";
  tool?: Tool;
  choice?: number;
  refusal?: boolean;
}

/**
 * A mark for the vendor's prompt cache: what stands up to here, this included, is kept. `ttl` is how long, in
 * the vendor's words (`5m`, `1h`); null is its default.
 */
export interface Cache {
  ttl?: string | null;
}

/** A source of the text. `start` and `end` are code points in the block's text; unknown is null. */
export interface Citation {
  type: "citation";
  block: number;
  url: string | null;
  title: string | null;
  text: string | null;
  start: number | null;
  end: number | null;
}

/** Money. `currency` is a code of ISO 4217, such as USD. */
export interface Cost {
  amount: number;
  currency: string;
}

/**
 * A document, a PDF or a text: `url` is http(s), or a data: URL that holds it in base64. `citations`: whether
 * the answer shall say which passages it used.
 */
export interface DocumentPart {
  type: "document";
  url: string;
  title?: string | null;
  citations?: boolean | null;
  cache?: Cache | null;
}

/**
 * Why a request or a stream failed. `status` is the HTTP status that goes, or would go, to the client.
 *
 * `upstream` is the configured name of the endpoint whose fault it is, null when it is ours or the client's. The
 * optional fields are left out when unknown: `param` names the request field at fault, `code` is the vendor's
 * own word for the error, `retry_after_s` its advice in seconds.
 */
export interface Failure {
  kind: "bad_request" | "cancelled" | "client_gone" | "connect_failed" | "connect_timeout" | "first_event_timeout" | "forbidden" | "idle_timeout" | "internal" | "model_not_found" | "overloaded" | "rate_limited" | "shutdown" | "too_large" | "total_timeout" | "unauthorized" | "upstream_error" | "upstream_malformed" | "upstream_status" | "upstream_truncated";
  message: string;
  retryable: boolean;
  status: number;
  upstream: string | null;
  param?: string;
  code?: string;
  retry_after_s?: number;
}

/** Why the answer ended: our word, and the vendor's own (null when it gave none). */
export interface Finish {
  reason: "content_filter" | "length" | "other" | "refusal" | "stop" | "tool_calls";
  raw: string | null;
}

/** A picture in the answer: `url` is a data: URL that holds it in base64, or http(s). */
export interface Image {
  type: "image";
  url: string;
  choice?: number;
}

/**
 * An image: `url` is http(s), or a data: URL that holds it in base64. `detail` is how closely to look, in
 * OpenAI's words: `low`, `high`, `auto`.
 */
export interface ImagePart {
  type: "image_url";
  url: string;
  detail?: string | null;
  cache?: Cache | null;
}

/** One turn. A plain string as content is the same as one text part. */
export interface Message {
  role: "assistant" | "system" | "tool" | "user";
  content: string | (TextPart | ImagePart | DocumentPart | AudioPart | ToolCallPart | ToolResultPart | ReasoningPart)[];
}

/**
 * What a request, or an answer, lost in translation.
 *
 * `note` says how: `dropped` (the upstream cannot say it), `changed` (said differently), `defaulted` (the
 * upstream insists on a value and the client gave none: no loss). `param` is a name from a fixed set in the
 * code, never a client's text.
 */
export interface Note {
  note: "changed" | "defaulted" | "dropped";
  param: string;
  message: string;
}

/** The body of every answer whose HTTP status is 400 or more. */
export interface Problem {
  error: Failure;
}

/**
 * How much to think: by effort or by a budget in tokens. `adaptive`: the model decides, within the effort.
 * `summary`: how what was thought is shown, in OpenAI's words (`auto`, `concise`, `detailed`).
 */
export interface Reasoning {
  effort?: "high" | "low" | "max" | "medium" | "minimal" | "none" | "xhigh" | null;
  max_tokens?: number | null;
  adaptive?: boolean | null;
  summary?: string | null;
}

/** More of the model's visible reasoning. */
export interface ReasoningDelta {
  type: "reasoning.delta";
  block: number;
  text: string;
}

/**
 * Reasoning of an earlier turn, with what its vendor wants to see again.
 *
 * `signature` proves the text; with `redacted` it is the whole reasoning, encrypted, and there is no text.
 * `format` says whose it is (`proxy/codec/proofs.py` has the words); null: not known, and then it goes to
 * whoever is asked. `id` is the vendor's name of the piece, where it has one.
 */
export interface ReasoningPart {
  type: "reasoning";
  text: string;
  signature?: string | null;
  redacted?: boolean;
  format?: string | null;
  id?: string | null;
}

/** A complete answer. `timing` is filled in by the relay. */
export interface StreamEnd {
  type: "stream.end";
  finish: Finish;
  usage: Usage;
  timing: Timing | null;
}

/** A failed answer: the last event of a stream that is not complete. */
export interface StreamError {
  type: "stream.error";
  error: Failure;
  usage: Usage;
}

/** One frame of a stream. The last is a StreamEnd or a StreamError, always; nothing comes after it. */
export type StreamEvent =
  | StreamStart
  | BlockStart
  | TextDelta
  | TextRewrite
  | ReasoningDelta
  | ToolCallDelta
  | BlockEnd
  | Image
  | Citation
  | UsageEvent
  | Vendor
  | StreamEnd
  | StreamError;

/**
 * The body of `POST /v1/stream`. Null is the same as leaving a key out.
 *
 * Give `messages` or, for a single turn, `prompt`. `vendor` is merged last into the request that goes to the
 * upstream. `on_loss` says what to do with a parameter that the upstream cannot say: `note` it in stream.start,
 * or `refuse` the request.
 *
 * `system` may be a list of texts, for the sake of their cache marks. `cache_key` names what shares the vendor's
 * prompt cache; `verbosity` and `service_tier` are in the vendor's words.
 */
export interface StreamRequest {
  model: string;
  messages?: Message[] | null;
  prompt?: string | null;
  system?: string | TextPart[] | null;
  /** 1 or more. */
  max_tokens?: number | null;
  /** 0 to 2. */
  temperature?: number | null;
  /** 0 to 1. */
  top_p?: number | null;
  stop?: string | string[] | null;
  seed?: number | null;
  tools?: ToolSpec[] | null;
  tool_choice?: "auto" | "none" | "required" | ToolChoice | null;
  response_format?: Record<string, unknown> | null;
  reasoning?: Reasoning | null;
  user?: string | null;
  metadata?: Record<string, unknown> | null;
  vendor?: Record<string, unknown> | null;
  stream?: boolean | null;
  on_loss?: "note" | "refuse" | null;
  top_k?: number | null;
  min_p?: number | null;
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  repetition_penalty?: number | null;
  logit_bias?: Record<string, unknown> | null;
  logprobs?: boolean | null;
  top_logprobs?: number | null;
  verbosity?: string | null;
  service_tier?: string | null;
  store?: boolean | null;
  cache_key?: string | null;
  safety_identifier?: string | null;
}

/** The first event. `created` is in unix seconds; `model` is as the client asked. */
export interface StreamStart {
  type: "stream.start";
  stream: string;
  model: string;
  upstream: string;
  upstream_model: string;
  created: number;
  notes: Note[];
}

/** More text. `text` is never empty. */
export interface TextDelta {
  type: "text.delta";
  block: number;
  text: string;
}

/** Plain text. */
export interface TextPart {
  type: "text";
  text: string;
  cache?: Cache | null;
}

/** Keep the first `keep` code points of the block's text, then append `text`. */
export interface TextRewrite {
  type: "text.rewrite";
  block: number;
  keep: number;
  text: string;
}

/** Milliseconds since the request was read. `first_event_ms` is that of the first content, null if none came. */
export interface Timing {
  first_event_ms: number | null;
  total_ms: number;
}

/**
 * Which tool is called. `id` is the vendor's, or made by us where it gives none. `custom`: it takes free text,
 * and the arguments are `{"input": "<the text>"}`.
 */
export interface Tool {
  id: string;
  name: string;
  custom?: boolean;
}

/** A tool call, whole. `arguments` is JSON text; "" stands for {}. `custom`: see Tool. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
  custom?: boolean;
}

/** A piece of JSON text; the pieces of a block joined are the arguments ("" stands for {}). */
export interface ToolCallDelta {
  type: "tool_call.delta";
  block: number;
  arguments: string;
}

/**
 * A call that the assistant made in an earlier turn. `arguments` is JSON text; of a `custom` tool, which takes
 * free text, it is `{"input": "<the text>"}`. `signature` is what its vendor wants to see again, `format` whose
 * it is (see ReasoningPart).
 */
export interface ToolCallPart {
  type: "tool_call";
  id: string;
  name: string;
  arguments?: string;
  custom?: boolean;
  signature?: string | null;
  format?: string | null;
  cache?: Cache | null;
}

/** Which tool must be called. `name` with mode `tool`. `parallel` false: at most one call. */
export interface ToolChoice {
  mode?: "auto" | "none" | "required" | "tool";
  name?: string | null;
  parallel?: boolean | null;
}

/** The answer to a tool call: a text, or parts where it holds more. */
export interface ToolResultPart {
  type: "tool_result";
  id: string;
  content: string | (TextPart | ImagePart | DocumentPart | AudioPart)[];
  is_error?: boolean;
  cache?: Cache | null;
}

/**
 * A tool that the model may call. `parameters` is a JSON Schema.
 *
 * `custom`: the tool takes free text instead of JSON arguments, in this format: `{}` for any text, or OpenAI's
 * `{"type": "grammar", "syntax", "definition"}`.
 */
export interface ToolSpec {
  name: string;
  description?: string | null;
  parameters?: Record<string, unknown> | null;
  strict?: boolean | null;
  custom?: Record<string, unknown> | null;
  cache?: Cache | null;
}

/**
 * Tokens, as the vendor counted them: 0 to MAX_COUNT. Unknown is null, never 0.
 *
 * `input_tokens` includes those read from the vendor's cache (`cached_input_tokens`), those written into it and
 * those of audio; `output_tokens` includes those of reasoning and of audio, whatever the vendor's own habit.
 * `cost` is filled in by the relay at the end of the stream, where prices are known; a decoder only says what
 * its upstream said.
 */
export interface Usage {
  input_tokens: number | null;
  output_tokens: number | null;
  cached_input_tokens: number | null;
  reasoning_tokens: number | null;
  cache_write_tokens: number | null;
  audio_input_tokens: number | null;
  audio_output_tokens: number | null;
  cost: Cost | null;
}

/** The usage known so far; replaces what was said before. What it costs is said at the end. */
export interface UsageEvent {
  type: "usage";
  input_tokens: number | null;
  output_tokens: number | null;
  cached_input_tokens: number | null;
  reasoning_tokens: number | null;
  cache_write_tokens: number | null;
  audio_input_tokens: number | null;
  audio_output_tokens: number | null;
  cost: Cost | null;
}

/** What the vendor said that has no place in this schema. `data` is the vendor's own JSON value. */
export interface Vendor {
  type: "vendor";
  dialect: string;
  data: unknown;
}

/**
 * The answer to `stream: false`: the events of a stream, folded.
 *
 * `text`, `reasoning` and `tool_calls` are those of the first choice; `blocks` has everything, in order.
 */
export interface Whole {
  stream: string;
  model: string;
  upstream: string;
  upstream_model: string;
  created: number;
  notes: Note[];
  text: string;
  reasoning: string;
  tool_calls: ToolCall[];
  blocks: WholeBlock[];
  images: Image[];
  vendor: Vendor[];
  finish: Finish;
  usage: Usage;
  timing: Timing | null;
}

/**
 * One piece of the answer, whole. `text` holds its text, reasoning or arguments; `choice` only where there are
 * several answers. `signature`, `format`, `redacted` and `id` are those of BlockEnd, `refusal` that of
 * BlockStart.
 */
export interface WholeBlock {
  kind: "reasoning" | "text" | "tool_call";
  text: string;
  tool?: Tool;
  signature?: string;
  citations?: Citation[];
  choice?: number;
  refusal?: boolean;
  format?: string;
  redacted?: boolean;
  id?: string;
}
