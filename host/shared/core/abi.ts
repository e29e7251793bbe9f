// The TypeScript side of wasm/README.md: what the core may ask for, what it is told, and how both
// become frames.
//
// A step from the core is `unknown` until `readStep` has looked at every member. One that does not
// fit is a bug of the core and throws; the instance is then thrown away like one that trapped.

import type { Result, Statement, Value } from "../store/store.ts";
import { FrameReader, FrameTooLarge, type FrameWriter, maxFrameBytes } from "./frame.ts";

export const abiVersion = 3;

export type HeaderList = readonly (readonly [string, string])[];

/** What follows status and headers of an answer. */
export type Body =
  | { readonly kind: "none" }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "asset"; readonly path: string }
  | { readonly kind: "stream" };

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Everything that the core can ask of a host. */
export type Effect =
  /** Reads; no atomicity is promised. */
  | { readonly effect: "query"; readonly statements: readonly Statement[] }
  /** One transaction: all statements or none. Runs to its end even if the client leaves. */
  | { readonly effect: "batch"; readonly statements: readonly Statement[] }
  /** The next part of the request's body, or its end. */
  | { readonly effect: "read_body" }
  /** Status and headers, and the body unless it follows by `write`. Once an invocation. */
  | {
      readonly effect: "respond";
      readonly status: number;
      readonly headers: HeaderList;
      readonly body: Body;
    }
  /** A part of a streamed body. */
  | { readonly effect: "write"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Closes the streamed body. */
  | { readonly effect: "end" }
  /** Cuts the streamed body off, so that the reader sees a failure. */
  | { readonly effect: "abort" }
  /** Encrypts with the deployment's key; `context` must be the same to open it again. */
  | { readonly effect: "seal"; readonly plain: Uint8Array<ArrayBuffer>; readonly context: string }
  /** Holds that much of the isolate's memory for this invocation. */
  | { readonly effect: "reserve_memory"; readonly bytes: number }
  /** One line for the host's log. */
  | { readonly effect: "log"; readonly level: LogLevel; readonly message: string };

export type Reply =
  | { readonly ok: true }
  | { readonly ok: true; readonly results: readonly Result[] }
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: true; readonly end: true }
  | { readonly ok: true; readonly keyId: string; readonly sealed: string }
  | { readonly ok: false; readonly error: string };

/** Nothing but that it was done. */
export const done: Reply = { ok: true };
/** The client left before it was done. */
export const cancelled: Reply = { ok: false, error: "cancelled" };

export type Step = { readonly effects: readonly Effect[]; readonly done: boolean };

/** A finished answer, kept for when the core cannot be asked any more. */
export type StoredAnswer = {
  readonly status: number;
  readonly headers: HeaderList;
  readonly bytes: Uint8Array<ArrayBuffer>;
};
export type StoredAnswers = {
  /** For an invocation that has sent no batch: nothing of it was carried out. */
  readonly trap: StoredAnswer;
  /** For one that has: what it sent may have been committed. */
  readonly trapAfterBatch: StoredAnswer;
  /** For one that has not begun. */
  readonly overloaded: StoredAnswer;
};

/** Why an invocation begins: somebody asks for something, or a minute has passed. */
export type Cause =
  | {
      readonly kind: "request";
      readonly method: string;
      readonly target: string;
      readonly headers: HeaderList;
      readonly body: boolean;
    }
  | { readonly kind: "wake"; readonly scheduledTime: number };

export type Start = {
  readonly cause: Cause;
  readonly time: number;
  readonly requestId: string;
  readonly store: string;
  /** The same for every invocation of a deployment, so it is JSON already. */
  readonly varsJson: string;
  readonly sealing: boolean;
  readonly random: Uint8Array;
};

export function writeStart(writer: FrameWriter, start: Start): Uint8Array {
  writer.begin(
    `{${causeMembers(start.cause)},"time":${start.time},` +
      `"request_id":${JSON.stringify(start.requestId)},"store":${JSON.stringify(start.store)},` +
      `"vars":${start.varsJson},"sealing":${start.sealing}}`,
  );
  writer.section(start.random);
  return writer.finish();
}

function causeMembers(cause: Cause): string {
  if (cause.kind === "wake") return `"kind":"wake","scheduled_time":${cause.scheduledTime}`;
  const { method, target, headers, body } = cause;
  return (
    `"kind":"request","method":${JSON.stringify(method)},"target":${JSON.stringify(target)},` +
    `"headers":${JSON.stringify(headers)},"body":${body}`
  );
}

export function writeAnswersRequest(writer: FrameWriter): Uint8Array {
  writer.begin('{"kind":"answers"}');
  return writer.finish();
}

/** Throws `FrameTooLarge` when the replies do not fit into one frame. */
export function writeResume(
  writer: FrameWriter,
  time: number,
  replies: readonly Reply[],
): Uint8Array {
  let sections = 0;
  const heads = replies.map((reply) => {
    if (!reply.ok) return { ok: false, error: reply.error };
    if ("results" in reply)
      return { ok: true, results: reply.results.map((result) => resultHead(result, sections++)) };
    if ("bytes" in reply) return { ok: true, section: sections++ };
    if ("end" in reply) return { ok: true, end: true };
    if ("sealed" in reply) return { ok: true, key_id: reply.keyId, sealed: reply.sealed };
    return { ok: true };
  });
  writer.begin(`{"time":${time},"replies":${JSON.stringify(heads)}}`);
  for (const reply of replies) {
    if ("results" in reply)
      for (const result of reply.results) writer.sectionOf(() => writeCells(writer, result));
    else if ("bytes" in reply) writer.section(reply.bytes);
  }
  const frame = writer.finish();
  if (frame.length > maxFrameBytes)
    throw new FrameTooLarge("a frame to the core would pass 16 MiB");
  return frame;
}

/** Parses a step and copies what outlives its frame. */
export function readStep(frame: Uint8Array): Step {
  const reader = new FrameReader(frame);
  const head = record(reader.head, "step");
  const effects = list(head["effects"], "effects").map((effect) =>
    readEffect(reader, record(effect, "effect")),
  );
  return { effects, done: boolean(head["done"], "done") };
}

export function readStoredAnswers(frame: Uint8Array): StoredAnswers {
  const reader = new FrameReader(frame);
  const answers = record(record(reader.head, "step")["answers"], "answers");
  const read = (name: string): StoredAnswer => {
    const answer = record(answers[name], name);
    return {
      status: integer(answer["status"], "status"),
      headers: headerList(answer["headers"]),
      bytes: reader.copy(integer(answer["section"], "section")),
    };
  };
  return {
    trap: read("trap"),
    trapAfterBatch: read("trap_after_batch"),
    overloaded: read("overloaded"),
  };
}

function resultHead(result: Result, section: number): object {
  return {
    columns: result.columns,
    rows: result.rows.length,
    section,
    rows_read: result.rowsRead,
    rows_written: result.rowsWritten,
    changes: result.changes,
  };
}

function writeCells(writer: FrameWriter, result: Result): void {
  const { columns, rows } = result;
  for (const row of rows) {
    for (const column of columns) writer.cell(row[column]);
  }
}

function readEffect(reader: FrameReader, head: Record<string, unknown>): Effect {
  const name = head["effect"];
  switch (name) {
    case "query":
    case "batch":
      return {
        effect: name,
        statements: list(head["statements"], "statements").map((s) => readStatement(reader, s)),
      };
    case "read_body":
    case "end":
    case "abort":
      return { effect: name };
    case "respond":
      return {
        effect: name,
        status: integer(head["status"], "status"),
        headers: headerList(head["headers"]),
        body: readBody(reader, head),
      };
    case "write":
      return { effect: name, bytes: reader.copy(integer(head["section"], "section")) };
    case "seal":
      return {
        effect: name,
        plain: reader.copy(integer(head["section"], "section")),
        context: string(head["context"], "context"),
      };
    case "reserve_memory":
      return { effect: name, bytes: integer(head["bytes"], "bytes") };
    case "log":
      return {
        effect: name,
        level: logLevel(head["level"]),
        message: string(head["message"], "message"),
      };
    default:
      throw new Error(`the core asks for an unknown effect: ${String(name)}`);
  }
}

function readBody(reader: FrameReader, head: Record<string, unknown>): Body {
  if (head["section"] !== undefined)
    return { kind: "bytes", bytes: reader.copy(integer(head["section"], "section")) };
  if (head["asset"] !== undefined) return { kind: "asset", path: string(head["asset"], "asset") };
  return head["stream"] === true ? { kind: "stream" } : { kind: "none" };
}

function readStatement(reader: FrameReader, value: unknown): Statement {
  const head = record(value, "statement");
  const params: Value[] = [];
  for (const param of list(head["params"], "params")) {
    if (param === null || typeof param === "string") params.push(param);
    else if (typeof param === "number") params.push(integer(param, "parameter"));
    else params.push(reader.text(integer(record(param, "parameter")["section"], "section")));
  }
  return { number: integer(head["statement"], "statement"), params };
}

function headerList(value: unknown): HeaderList {
  return list(value, "headers").map((pair) => {
    const [name, text] = list(pair, "header");
    return [string(name, "header"), string(text, "header")] as const;
  });
}

function logLevel(value: unknown): LogLevel {
  if (value === "debug" || value === "info" || value === "warn" || value === "error") return value;
  throw new Error("the core logs at an unknown level");
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Error(`the core's ${what} is no object`);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`the core's ${what} is no list`);
}

function integer(value: unknown, what: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new Error(`the core's ${what} is no integer`);
}

function string(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new Error(`the core's ${what} is no text`);
}

function boolean(value: unknown, what: string): boolean {
  if (typeof value === "boolean") return value;
  throw new Error(`the core's ${what} is neither true nor false`);
}
