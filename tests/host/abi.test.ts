import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import {
  type Reply,
  readStep,
  readStoredResponses,
  writeResume,
  writeStart,
  writeStoredResponsesRequest,
} from "../../host/shared/core/abi.ts";
import { FrameReader, FrameTooLarge, FrameWriter } from "../../host/shared/core/frame.ts";
import type { Result } from "../../host/shared/store/store.ts";
import { type Cell, fileOf, type Golden, goldens } from "./golden.ts";
import { frameOf } from "./script.ts";

const folder = `${import.meta.dirname}/../golden`;
const writer = new FrameWriter();
const golden = (name: string): Golden => {
  const found = goldens.find((one) => one.name === name);
  assert.ok(found);
  return found;
};
const bytesOf = (name: string): Buffer => frameOf(golden(name).head, golden(name).sections);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("golden files are those that this test knows", () => {
  assert.deepEqual(readdirSync(folder).sort(), goldens.map((one) => `${one.name}.json`).sort());
  for (const one of goldens)
    assert.equal(readFileSync(`${folder}/${one.name}.json`, "utf8"), fileOf(one), one.name);
});

test("a frame is read as its head and sections", () => {
  for (const one of goldens) {
    const reader = new FrameReader(bytesOf(one.name));
    assert.deepEqual(reader.head, one.head);
    assert.equal(reader.sectionCount, one.sections.length);
    for (const [index, section] of one.sections.entries()) {
      assert.equal(hex(reader.copy(index)), Buffer.from(section).toString("hex"));
    }
  }
});

test("start frames are written byte for byte", () => {
  for (const name of ["start_request", "start_wake"]) {
    const {
      time,
      request_id: requestId,
      store,
      vars,
      secrets,
      scheduled_time: scheduledTime,
      ...cause
    } = golden(name).head as Record<string, unknown>;
    const random = golden(name).sections[0];
    const start = {
      cause: { ...cause, scheduledTime },
      time,
      requestId,
      store,
      varsJson: JSON.stringify(vars),
      secretsJson: JSON.stringify(secrets),
      random,
    } as Parameters<typeof writeStart>[1];
    assert.equal(hex(writeStart(writer, start)), bytesOf(name).toString("hex"));
  }
  assert.equal(
    hex(writeStoredResponsesRequest(writer)),
    bytesOf("start_stored_responses").toString("hex"),
  );
});

test("resume frames are written byte for byte, with a cell of every kind", () => {
  const value = (cell: Cell): unknown =>
    cell[0] === "null" ? null : cell[0] === "integer" ? Number(cell[1]) : cell[1];
  const resultsOf = (reply: { results: Record<string, unknown>[] }): Result[] =>
    reply.results.map((head) => {
      const columns = head["columns"] as string[];
      const cells = (golden("resume_results").cells?.[String(head["section"])] ?? []).map(value);
      const rows = Array.from({ length: head["rows"] as number }, (_, row) =>
        Object.fromEntries(
          columns.map((column, index) => [column, cells[row * columns.length + index]]),
        ),
      );
      return {
        columns,
        rows,
        rowsRead: head["rows_read"] as number,
        rowsWritten: head["rows_written"] as number,
        changes: head["changes"] as number,
      };
    });
  const heads = (
    golden("resume_results").head as { replies: { results: Record<string, unknown>[] }[] }
  ).replies;
  const replies: Reply[] = heads.map((head) => ({ ok: true, results: resultsOf(head) }));
  assert.equal(
    hex(writeResume(writer, 1795225402931, replies)),
    bytesOf("resume_results").toString("hex"),
  );
  const others: Reply[] = [
    { ok: true, bytes: new Uint8Array([123, 0, 255, 125]) },
    { ok: true, members: { end: true } },
    { ok: true },
    { ok: false, error: "guard:source_changed" },
    { ok: false, error: "unique:connections.source_id,target_id" },
    { ok: false, error: "spent" },
    { ok: false, error: "no_counter" },
    { ok: true, members: { key_id: "861009ec", sealed: "5Xji6vP7lC8=" } },
  ];
  assert.equal(
    hex(writeResume(writer, 1795225402932, others)),
    bytesOf("resume_others").toString("hex"),
  );
  assert.equal(hex(writeResume(writer, 0, [])), bytesOf("resume_empty").toString("hex"));
});

test("a step becomes typed effects, with texts and copies in place of sections", () => {
  assert.deepEqual(readStep(bytesOf("step_empty")), { effects: [], done: true });
  assert.deepEqual(readStep(bytesOf("step_store")).effects, [
    {
      effect: "query",
      statements: [{ number: 7, params: [null, 9007199254740991, -3, "kürzer", "länger: 😀"] }],
    },
    {
      effect: "batch",
      statements: [
        { number: 0, params: [] },
        { number: 7, params: ["", ""] },
      ],
      turn: { name: "7", atOnce: 2 },
      unseen: true,
    },
  ]);
  const respond = { effect: "respond", status: 200, headers: [] };
  assert.deepEqual(readStep(bytesOf("step_others")).effects, [
    { effect: "read_body" },
    { ...respond, status: 204, body: { kind: "none" } },
    { ...respond, body: { kind: "asset", path: "/docs/index.html" } },
    { ...respond, body: { kind: "stream" } },
    { effect: "write", bytes: new Uint8Array([0, 255, 128, 10]) },
    { effect: "end" },
    { effect: "abort" },
    { effect: "seal", plain: new Uint8Array(0), context: "tenant:1|secret" },
    { effect: "reserve_memory", bytes: 33554432, turn: "7" },
    { effect: "count", of: "00ff10ab" },
  ]);
  const { trap, trapAfterBatch, overloaded } = readStoredResponses(
    bytesOf("step_stored_responses"),
  );
  assert.deepEqual([trap.status, trapAfterBatch.status, overloaded.status], [500, 500, 503]);
  assert.notDeepEqual(trap.bytes, trapAfterBatch.bytes);
});

test("a step that does not fit throws", () => {
  const step = (effect: unknown, sections: string[] = []): Buffer =>
    frameOf({ done: false, effects: [effect] }, sections);
  const wrong = [
    step({ effect: "dance" }),
    step(null),
    step({ effect: "write", section: 0 }),
    step({ effect: "write", section: -1 }, ["x"]),
    step({ effect: "respond", status: "200", headers: [] }),
    step({ effect: "respond", status: 200, headers: [["a"]] }),
    step({ effect: "query", statements: [{ statement: 0, params: [1.5] }] }, ["x"]),
    step({ effect: "log", level: "loud", message: "" }),
    step({ effect: "query", statements: [{ statement: 0, params: [true] }] }, ["x"]),
    frameOf({ effects: [] }, []),
    bytesOf("step_answer").subarray(0, -1),
    bytesOf("step_answer").subarray(0, 3),
    Buffer.alloc(0),
    Buffer.from("ffffffff00", "hex"),
  ];
  for (const frame of wrong) assert.throws(() => readStep(frame));
});

test("a reply beyond 16 MiB is refused, and the writer goes on", () => {
  const bytes = new Uint8Array(9 * 1024 * 1024);
  assert.throws(
    () =>
      writeResume(writer, 0, [
        { ok: true, bytes },
        { ok: true, bytes },
      ]),
    FrameTooLarge,
  );
  assert.equal(hex(writeResume(writer, 0, [])), bytesOf("resume_empty").toString("hex"));
});

test("a cell that has no tag throws", () => {
  const result = { columns: ["a"], rows: [{ a: [1, 2] }], rowsRead: 0, rowsWritten: 0, changes: 0 };
  assert.throws(() => writeResume(writer, 0, [{ ok: true, results: [result] }]));
});
