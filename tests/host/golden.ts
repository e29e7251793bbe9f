// The frames of tests/golden, which the C++ tests read too. `node tests/host/golden.ts` writes them anew.
//
// A file holds `frame` in hexadecimal and what it means: `head`, and `sections`, each as text or, after `hex:`, as bytes.
// `cells` tells what the sections of a resume frame hold that are results of a query: tag and value of each cell.

import { mkdirSync, writeFileSync } from "node:fs";
import { frameOf } from "./script.ts";

export type Cell = ["null"] | ["integer", string] | ["real", number] | ["text", string];
export type Golden = {
  readonly name: string;
  readonly direction: "start" | "step" | "resume";
  readonly head: unknown;
  readonly sections: readonly (string | Uint8Array)[];
  readonly cells?: Readonly<Record<string, readonly Cell[]>>;
};

const everyTag: readonly Cell[] = [
  ["null"],
  ["integer", "0"],
  ["integer", "-1"],
  ["integer", "9007199254740991"],
  ["integer", "-9007199254740991"],
  ["real", 0.5],
  ["real", -1e300],
  ["real", 1e16],
  ["text", ""],
  ["text", "plain ASCII"],
  ["text", "grün € 😀"],
  ["text", "a\u0000b"],
  ["text", "a longer text of plain ASCII that is not copied by hand"],
];
const columns = everyTag.map((_, index) => `c${index}`);
const counts = { rows_read: 1, rows_written: 0, changes: 0 };

export const goldens: readonly Golden[] = [
  {
    name: "start_request",
    direction: "start",
    head: {
      kind: "request",
      method: "PATCH",
      target: "/sources/1?x=%C3%A4&y=",
      headers: [
        ["x-api-key", "sm_key"],
        ["x-name", 'grün "q" \\'],
      ],
      body: true,
      arrived: false,
      address: "2001:db8::7",
      time: 1795225402930,
      request_id: "2601de2a-27c4-4908-8a4b-950d757632b2",
      store: "d1",
      vars: { TENANT_SIGNUP: "open", GREETING: "héllo" },
      secrets: {},
    },
    sections: [Uint8Array.from({ length: 64 }, (_, index) => 255 - index)],
  },
  {
    name: "start_wake",
    direction: "start",
    head: {
      kind: "wake",
      scheduled_time: 1795225380000,
      time: 1795225380017,
      request_id: "7c6a2c5b-6f0e-4a53-9d0a-0f3f1f0c2b11",
      store: "d1",
      vars: { RETENTION_DAYS: "30" },
      secrets: {
        ADMIN_TOKEN: { bytes: 31, digest: "00FF10AB" },
        ENCRYPTION_KEY: { bytes: 32, digest: "" },
      },
    },
    sections: [Uint8Array.from({ length: 64 }, (_, index) => index)],
  },
  {
    name: "start_stored_responses",
    direction: "start",
    head: { kind: "stored_responses" },
    sections: [],
  },
  { name: "step_empty", direction: "step", head: { effects: [], done: true }, sections: [] },
  {
    name: "step_store",
    direction: "step",
    head: {
      effects: [
        {
          effect: "query",
          statements: [
            { statement: 7, params: [null, 9007199254740991, -3, "kürzer", { section: 0 }] },
          ],
        },
        {
          effect: "batch",
          statements: [
            { statement: 0, params: [] },
            { statement: 7, params: ["", { section: 1 }] },
          ],
          turn: "7",
          at_once: 2,
          unseen: true,
        },
      ],
      done: false,
    },
    sections: ["länger: 😀", ""],
  },
  {
    name: "step_answer",
    direction: "step",
    head: {
      effects: [
        { effect: "log", level: "info", message: "grün" },
        {
          effect: "respond",
          status: 200,
          headers: [
            ["content-type", "application/json"],
            ["etag", '"x"'],
          ],
          section: 0,
        },
      ],
      done: true,
    },
    sections: ['{"name":"grün"}'],
  },
  {
    name: "step_others",
    direction: "step",
    head: {
      effects: [
        { effect: "read_body" },
        { effect: "respond", status: 204, headers: [] },
        { effect: "respond", status: 200, headers: [], asset: "/docs/index.html" },
        { effect: "respond", status: 200, headers: [], stream: true },
        { effect: "write", section: 0 },
        { effect: "end" },
        { effect: "abort" },
        { effect: "seal", section: 1, context: "tenant:1|secret" },
        { effect: "reserve_memory", bytes: 33554432, turn: "7" },
        { effect: "count", of: "00ff10ab" },
      ],
      done: false,
    },
    sections: [new Uint8Array([0, 255, 128, 10]), ""],
  },
  {
    name: "step_stored_responses",
    direction: "step",
    head: {
      done: true,
      effects: [],
      stored_responses: {
        trap: { status: 500, headers: [["content-type", "application/problem+json"]], section: 0 },
        trap_after_batch: { status: 500, headers: [], section: 1 },
        overloaded: { status: 503, headers: [["retry-after", "5"]], section: 2 },
      },
    },
    sections: ['{"status":500}', '{"status":500,"detail":"not known"}', '{"status":503}'],
  },
  {
    name: "resume_results",
    direction: "resume",
    head: {
      time: 1795225402931,
      replies: [
        {
          ok: true,
          results: [
            { columns, rows: 1, section: 0, ...counts },
            { columns: [], rows: 0, section: 1, rows_read: 0, rows_written: 2, changes: 1 },
          ],
        },
        { ok: true, results: [{ columns: ["größe"], rows: 2, section: 2, ...counts }] },
      ],
    },
    sections: [cellsOf(everyTag), "", cellsOf([["text", "ä"], ["null"]])],
    cells: { 0: everyTag, 1: [], 2: [["text", "ä"], ["null"]] },
  },
  {
    name: "resume_others",
    direction: "resume",
    head: {
      time: 1795225402932,
      replies: [
        { ok: true, section: 0 },
        { ok: true, end: true },
        { ok: true },
        { ok: false, error: "guard:source_changed" },
        { ok: false, error: "unique:connections.source_id,target_id" },
        { ok: false, error: "spent" },
        { ok: false, error: "no_counter" },
        { ok: true, key_id: "861009ec", sealed: "5Xji6vP7lC8=" },
      ],
    },
    sections: [new Uint8Array([123, 0, 255, 125])],
  },
  { name: "resume_empty", direction: "resume", head: { time: 0, replies: [] }, sections: [] },
];

export function fileOf(golden: Golden): string {
  const { name, direction, head, sections, cells } = golden;
  const frame = frameOf(head, sections).toString("hex");
  const shown = sections.map((section) =>
    typeof section === "string" ? section : bytesAsText(section),
  );
  return `${JSON.stringify({ name, direction, frame, head, sections: shown, ...(cells && { cells }) }, null, 2)}\n`;
}

export function cellsOf(cells: readonly Cell[]): Uint8Array {
  return Buffer.concat(
    cells.map((cell) => {
      if (cell[0] === "null") return Buffer.from([0]);
      if (cell[0] === "text") return Buffer.concat([Buffer.from([3]), frameOfText(cell[1])]);
      const bytes = Buffer.alloc(9);
      if (cell[0] === "integer") {
        bytes[0] = 1;
        bytes.writeBigInt64LE(BigInt(cell[1]), 1);
      } else {
        bytes[0] = 2;
        bytes.writeDoubleLE(cell[1], 1);
      }
      return bytes;
    }),
  );
}

function frameOfText(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

function bytesAsText(bytes: Uint8Array): string {
  return `hex:${Buffer.from(bytes).toString("hex")}`;
}

if (import.meta.main) {
  const folder = `${import.meta.dirname}/../golden`;
  mkdirSync(folder, { recursive: true });
  for (const golden of goldens) writeFileSync(`${folder}/${golden.name}.json`, fileOf(golden));
}
