/** Types of client.js. Those of the events and the request are Mainstem's native schema: mainstem.d.ts. */

import type { Citation, Finish, Note, StreamEnd, StreamEvent, StreamRequest, Usage } from "./mainstem.js";

export type * from "./mainstem.js";

/** A server-sent event. `event` is "message" where the stream names none. */
export interface Frame {
  event: string;
  data: string;
  id: string;
}

export interface Options {
  /** The native endpoint, for example "https://proxy.example.com/v1/stream". */
  url: string | URL;
  /** With a body it is a POST, else a GET of `url` as it is. */
  body?: StreamRequest;
  /** For example `{ authorization: "Bearer ..." }`. */
  headers?: Record<string, string>;
  /** Aborting it closes the connection. */
  signal?: AbortSignal;
  /** Sees each frame before it is read as JSON. */
  onFrame?: (frame: Frame) => void;
  /** Another fetch. */
  fetch?: typeof fetch;
  /** Where the proxy keeps its streams: how often in a row a connection that broke is made anew. 5 by default, 0: never. */
  retries?: number;
  /** Longest wait before the first of these, in milliseconds (500); it doubles for each further one. */
  waitMs?: number;
  /** Longest wait of all, in milliseconds (10,000). */
  mostWaitMs?: number;
}

/** A whole answer. With `ok`, `finish` says how it ended; without, `error` says why not, and the rest is what had come. */
export interface Whole {
  ok: boolean;
  text: string;
  reasoning: string;
  toolCalls: { id: string; name: string; arguments: string }[];
  citations: Citation[];
  /** Addresses: data: or http(s). */
  images: string[];
  /** What the request lost on its way. */
  notes: Note[];
  usage: Usage | null;
  finish: Finish | null;
  error: MainstemError | null;
}

export interface Answer extends AsyncIterable<StreamEvent> {
  /** Never rejects. If nobody goes through the events, it reads them. */
  readonly whole: Promise<Whole>;
}

/** Asks, and never throws: what goes wrong is the last event, a `stream.error`, and `error` in `whole`. */
export declare function ask(options: Options): Answer;

/** The events, with failures that are thrown: MainstemError, or the reason of an aborted signal. */
export declare function events(options: Options): AsyncGenerator<StreamEvent, void, undefined>;

/** The same with a callback: resolves with the `stream.end`, rejects as `events` throws. */
export declare function stream(options: Options & { onEvent?: (event: StreamEvent) => void }): Promise<StreamEnd>;

/** A block's text after a `text.rewrite`: its first `keep` code points, then `text`. */
export declare function rewritten(shown: string, rewrite: { keep: number; text: string }): string;

/** The error that a response holds, whichever dialect it speaks. */
export declare function refusal(response: Response): Promise<MainstemError>;

/** Bytes to frames by the HTML standard, section 9.2.6, for any split of the bytes. */
export declare class FrameParser {
  /** The frames that these bytes complete. */
  feed(bytes: Uint8Array): Frame[];
}

/**
 * Why there is no answer, or no whole one. `kind` is the proxy's word for it; the client's own are `unreachable` (no response),
 * `truncated` (the stream broke off), `malformed` (not Mainstem's stream), `aborted`, and `left` (its reader left the loop).
 */
export declare class MainstemError extends Error {
  constructor(message: string, facts?: object);
  kind: string;
  status: number | null;
  retryable: boolean;
  /** Seconds, as the server advises; null when it does not say. */
  retryAfterS: number | null;
  /** The name of this request in the proxy's log. */
  requestId: string | null;
}
