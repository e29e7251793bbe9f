// The TypeScript side of wasm/README.md: what the core may ask for, what it is told, and how both
// become frames.
//
// A step from the core is `unknown` until `readStep` has looked at every member. One that does not
// fit is a bug of the core and throws; the instance is then thrown away like one that trapped.

import type { Result } from "../store/store.ts";
import { type Effect, readEffect } from "./effects.ts";
import { FrameReader, FrameTooLarge, type FrameWriter, maxFrameBytes } from "./frame.ts";
import { type HeaderList, StepHead } from "./step_head.ts";

export const abiVersion = 5;

/** What the core is told of an effect: members of its own, the results of statements, bytes. */
export type Reply =
  | {
      readonly ok: true;
      readonly members?: Readonly<Record<string, string | number | boolean>>;
      readonly results?: readonly Result[];
      readonly bytes?: Uint8Array;
    }
  | { readonly ok: false; readonly error: string };

/** Nothing but that it was done. */
export const done: Reply = { ok: true };
/** The client left before it was done. */
export const cancelled: Reply = { ok: false, error: "cancelled" };

export type Step = { readonly effects: readonly Effect[]; readonly done: boolean };

/** A finished response, kept for when the core cannot be asked any more. */
export type StoredResponse = {
  readonly status: number;
  readonly headers: HeaderList;
  readonly bytes: Uint8Array<ArrayBuffer>;
};
export type StoredResponses = {
  /** For an invocation that has sent no batch: nothing of it was carried out. */
  readonly trap: StoredResponse;
  /** For one that has: what it sent may have been committed. */
  readonly trapAfterBatch: StoredResponse;
  /** For one that has not begun. */
  readonly overloaded: StoredResponse;
};

/** Why an invocation begins: somebody asks for something, or a minute has passed. */
export type Cause =
  | {
      readonly kind: "request";
      readonly method: string;
      readonly target: string;
      readonly headers: HeaderList;
      readonly body: boolean;
      /** Whether reading the body waits for nobody. */
      readonly arrived: boolean;
      /** The client's, as the platform says it; empty where it does not. */
      readonly address: string;
    }
  | { readonly kind: "wake"; readonly scheduledTime: number };

export type Start = {
  readonly cause: Cause;
  readonly time: number;
  readonly requestId: string;
  readonly store: string;
  /** Both are the same for every invocation of a deployment, so they are JSON already. */
  readonly varsJson: string;
  readonly secretsJson: string;
  readonly random: Uint8Array;
};

export function writeStart(writer: FrameWriter, start: Start): Uint8Array {
  writer.begin(
    `{${causeMembers(start.cause)},"time":${start.time},` +
      `"request_id":${JSON.stringify(start.requestId)},"store":${JSON.stringify(start.store)},` +
      `"vars":${start.varsJson},"secrets":${start.secretsJson}}`,
  );
  writer.section(start.random);
  return writer.finish();
}

function causeMembers(cause: Cause): string {
  if (cause.kind === "wake") return `"kind":"wake","scheduled_time":${cause.scheduledTime}`;
  const { method, target, headers, body, arrived, address } = cause;
  return (
    `"kind":"request","method":${JSON.stringify(method)},"target":${JSON.stringify(target)},` +
    `"headers":${JSON.stringify(headers)},"body":${body},"arrived":${arrived},` +
    `"address":${JSON.stringify(address)}`
  );
}

export function writeStoredResponsesRequest(writer: FrameWriter): Uint8Array {
  writer.begin('{"kind":"stored_responses"}');
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
    const { members, results, bytes } = reply;
    return {
      ok: true,
      ...members,
      ...(results && { results: results.map((result) => resultHead(result, sections++)) }),
      ...(bytes && { section: sections++ }),
    };
  });
  writer.begin(`{"time":${time},"replies":${JSON.stringify(heads)}}`);
  for (const reply of replies) {
    if (!reply.ok) continue;
    for (const result of reply.results ?? []) writer.sectionOf(() => writeCells(writer, result));
    if (reply.bytes !== undefined) writer.section(reply.bytes);
  }
  const frame = writer.finish();
  if (frame.length > maxFrameBytes)
    throw new FrameTooLarge("a frame to the core would pass 16 MiB");
  return frame;
}

/** Parses a step and copies what outlives its frame. */
export function readStep(frame: Uint8Array): Step {
  const head = headOf(frame);
  return { effects: head.objects("effects").map(readEffect), done: head.boolean("done") };
}

export function readStoredResponses(frame: Uint8Array): StoredResponses {
  const responses = headOf(frame).object("stored_responses");
  const read = (name: string): StoredResponse => {
    const response = responses.object(name);
    return {
      status: response.integer("status"),
      headers: response.headers("headers"),
      bytes: response.bytes("section"),
    };
  };
  return {
    trap: read("trap"),
    trapAfterBatch: read("trap_after_batch"),
    overloaded: read("overloaded"),
  };
}

function headOf(frame: Uint8Array): StepHead {
  const reader = new FrameReader(frame);
  return new StepHead(reader, reader.head);
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
