// The Worker with the fixture core in workerd, through `wrangler dev`: what Node cannot prove.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { type FixtureText, numberOf } from "./fixture_statements.ts";
import {
  answerAndGoOn,
  answerCounts,
  answerOk,
  answerReplies,
  countBody,
  lastStep,
  type Scripted,
  script,
  startStream,
  step,
  storeHead,
  trap,
  writeForever,
} from "./script.ts";
import { logged, startWorker, until, type Worker } from "./workerd.ts";

let worker: Worker;
before(async () => {
  worker = await startWorker();
});
after(() => worker.stop());

const mebibyte = 1024 * 1024;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const note = (message: string): Buffer => step([{ effect: "log", level: "info", message }]);

function call(ops: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${worker.port}/`, {
    ...init,
    headers: {
      ...(init.headers as Record<string, string>),
      "accept-encoding": "identity",
      "x-script": ops,
    },
  } as RequestInit);
}

/** Head and cells of the reply frame that the fixture answers with. */
async function replyOf(response: Response): Promise<{ replies: Reply[]; cells: Buffer[] }> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  const [head, ...cells] = parts;
  return { replies: JSON.parse(String(head)).replies, cells };
}
type Reply = { ok: boolean; error?: string; results?: Record<string, unknown>[] };

/** Runs one effect with statements that have no parameters. */
async function store(
  effect: "query" | "batch",
  ...texts: FixtureText[]
): Promise<{ replies: Reply[]; cells: Buffer[] }> {
  const statements = texts.map((text) => ({ statement: numberOf(text), params: [] }));
  return replyOf(
    await call(
      script(step([{ effect, statements, turn: "", at_once: 0, unseen: false }]), answerReplies()),
    ),
  );
}

/** A request by hand, to be as slow or as rude as a client can be. */
async function dial(
  head: string,
  ops: string,
): Promise<{ socket: Socket; text: () => string; closed: Promise<void> }> {
  const socket = connect(worker.port, "127.0.0.1");
  let text = "";
  socket.on("data", (data) => (text += data.toString("latin1")));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(`${head}\r\nhost: x\r\nx-script: ${ops}\r\n`);
  return { socket, text: () => text, closed };
}

test("a log line names the request, and a path that is no tidy one is served", async () => {
  const ops = script(step([{ effect: "log", level: "info", message: "seen" }]), answerOk("ok"));
  const client = await dial("GET /a/../b%2f?x=%41&y=a+b HTTP/1.1\r\nconnection: close", ops);
  client.socket.write("\r\n");
  await client.closed;
  assert.match(client.text(), /^HTTP\/1.1 200/);
  await until(() => logged(worker, /: seen/).length === 1);
});

test("cells of every kind come through D1 as they are", async () => {
  const sql =
    "SELECT NULL AS a, 9007199254740991 AS b, -5 AS c, 2.5 AS d, 'hä€😀' AS e, '' AS f, -1e300 AS g";
  const { replies, cells } = await store("query", sql);
  assert.deepEqual(replies[0]?.results?.[0]?.["columns"], ["a", "b", "c", "d", "e", "f", "g"]);
  const [bytes] = cells;
  assert.ok(bytes);
  assert.equal(bytes[0], 0);
  assert.deepEqual([bytes[1], bytes.readBigInt64LE(2)], [1, 9007199254740991n]);
  assert.deepEqual([bytes[10], bytes.readBigInt64LE(11)], [1, -5n]);
  assert.deepEqual([bytes[19], bytes.readDoubleLE(20)], [2, 2.5]);
  const text = Buffer.from("hä€😀");
  assert.deepEqual([bytes[28], bytes.readUInt32LE(29)], [3, text.length]);
  assert.deepEqual(bytes.subarray(33, 33 + text.length), text);
  assert.deepEqual([bytes[33 + text.length], bytes.readUInt32LE(34 + text.length)], [3, 0]);
  assert.deepEqual([bytes[38 + text.length], bytes.readDoubleLE(39 + text.length)], [2, -1e300]);
});

test("counts of rows read, written and changed are told", async () => {
  await store("batch", "CREATE TABLE counted (n INTEGER)");
  const { replies } = await store(
    "batch",
    "INSERT INTO counted VALUES (1), (2)",
    "SELECT n FROM counted",
  );
  const [written, read] = replies[0]?.results ?? [];
  assert.equal(written?.["changes"], 2);
  assert.equal(written?.["rows_written"], 2);
  assert.equal(read?.["rows"], 2);
  assert.equal(read?.["rows_read"], 2);
});

test("a batch that a guard or a unique rule refuses leaves nothing behind, and says which", async () => {
  await store(
    "batch",
    "CREATE TABLE guard (source_changed INTEGER NOT NULL)",
    "CREATE TABLE t (a TEXT UNIQUE, b INTEGER, c INTEGER, UNIQUE (b, c))",
  );
  const refusedBy = async (...texts: FixtureText[]): Promise<string | undefined> =>
    (await store("batch", ...texts)).replies[0]?.error;
  const insert = "INSERT INTO t VALUES ('x', 1, 1)";
  assert.equal(
    await refusedBy(insert, "INSERT INTO guard (source_changed) SELECT NULL"),
    "guard:source_changed",
  );
  assert.equal(await refusedBy(insert, "INSERT INTO t VALUES ('x', 2, 2)"), "unique:t.a");
  assert.equal(await refusedBy(insert, "INSERT INTO t VALUES ('y', 1, 1)"), "unique:t.b,c");
  assert.equal(await refusedBy(insert, "INSERT INTO nowhere VALUES (1)"), "unavailable");
  assert.equal(await refusedBy(insert, "INSERT INTO t VALUES ("), "refused");
  assert.equal(await refusedBy(insert, "INSERT INTO t (a, nosuch) VALUES (1, 2)"), "refused");
  const { replies } = await store("query", "SELECT * FROM t");
  assert.equal(replies[0]?.results?.[0]?.["rows"], 0);
});

test("parameters are bound by position", async () => {
  const statement = numberOf("SELECT ?1 AS a, CAST(?2 AS INTEGER) AS b, ?3 AS c, ?4 AS d");
  const effects: Scripted[] = [
    { effect: "query", statements: [{ statement, params: ["a", 7, null, { section: 0 }] }] },
  ];
  const { cells } = await replyOf(await call(script(step(effects, ["länger"]), answerReplies())));
  assert.equal(
    cells[0]?.toString("latin1"),
    Buffer.concat([
      Buffer.from([3, 1, 0, 0, 0, 97, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 3, 7, 0, 0, 0]),
      Buffer.from("länger"),
    ]).toString("latin1"),
  );
});

test("a trap answers with the stored answer, and the next requests work", async () => {
  for (let i = 0; i < 20; i++) {
    const trapped = await call(
      script(step([{ effect: "log", level: "debug", message: "x" }]), trap()),
    );
    assert.equal(trapped.status, 500);
    assert.equal(trapped.headers.get("x-stored"), "trap");
    assert.equal(await trapped.text(), "stored");
    assert.equal(await (await call(script(answerOk("fine")))).text(), "fine");
  }
});

test("a body that is aborted, or whose core traps, ends without its terminator", async () => {
  const part = step([{ effect: "write", section: 0 }], ["p".repeat(5000)]);
  for (const last of [lastStep([{ effect: "abort" }]), trap()]) {
    // The proxy of `wrangler dev` holds the first 8 KiB back, and makes an answer of its own from a smaller body.
    const parts = Array.from({ length: 3 }, () => part);
    const client = await dial("GET / HTTP/1.1", script(startStream(), ...parts, last));
    client.socket.write("\r\n");
    await client.closed;
    assert.match(client.text(), /^HTTP\/1.1 200/);
    assert.doesNotMatch(client.text(), /0\r\n\r\n$/);
    await assert.rejects(async () => (await call(script(startStream(), ...parts, last))).text());
  }
  const whole = await call(script(startStream(), part, lastStep([{ effect: "end" }])));
  assert.equal(await whole.text(), "p".repeat(5000));
});

test("an answer without reading the body is sent at once", async () => {
  const head = "POST / HTTP/1.1\r\ncontent-length: 100000000";
  const client = await dial(
    head,
    script(lastStep([{ effect: "respond", status: 413, headers: [] }])),
  );
  client.socket.write(`\r\n${"x".repeat(1000)}`);
  await until(() => client.text().includes("\r\n\r\n"));
  client.socket.destroy();
  assert.match(client.text(), /^HTTP\/1.1 413/);
});

test("a body that is cut off by the client is not taken for a whole one", async () => {
  const head = "POST / HTTP/1.1\r\ncontent-length: 1000000";
  const client = await dial(
    head,
    script(note("body begins here"), countBody(), note("body was cut off here"), answerCounts()),
  );
  client.socket.write(`\r\n${"x".repeat(100_000)}`);
  await until(() => logged(worker, /body begins here/).length > 0);
  client.socket.destroy();
  await until(() => logged(worker, /body was cut off here/).length > 0);
});

test("a flow answers and goes on: what it writes then is there", async () => {
  await store("batch", "CREATE TABLE behind (head TEXT)");
  // The body is not read: the answer comes all the same, and before the work behind it is done.
  const answer = await call(
    script(
      answerAndGoOn("accepted"),
      storeHead("INSERT INTO behind VALUES (?1)"),
      note("done behind the answer"),
      lastStep([]),
    ),
    { method: "POST", body: "x".repeat(1000) },
  );
  assert.deepEqual([answer.status, await answer.text()], [202, "accepted"]);
  await until(() => logged(worker, /done behind the answer/).length > 0);
  const { cells } = await store("query", "SELECT count(*) AS n FROM behind");
  assert.equal(cells[0]?.readBigInt64LE(1), 1n);
});

test("a large body arrives whole, in parts of at least 64 KiB", async () => {
  const body = new Uint8Array(20_000_000);
  const text = await (
    await call(script(countBody(), answerCounts()), { method: "POST", body })
  ).text();
  const [, bytes, , parts, , small] = text.split(" ").map(Number);
  assert.equal(bytes, body.length);
  assert.ok(parts! <= body.length / 65536 + 1 && small! <= 1, text);
});

/** Resident memory of the group's largest process: the workerd that runs the Worker. */
function residentBytes(): number {
  const children = (pid: number): number[] =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .split(" ")
      .filter(Boolean)
      .map(Number);
  const all = (pid: number): number[] => [pid, ...children(pid).flatMap(all)];
  const rss = (pid: number): number => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    if (!status.startsWith("Name:\tworkerd")) return 0;
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  };
  return Math.max(...all(worker.pid).map(rss));
}

test("an endless answer waits for a slow reader in flat memory", async () => {
  const ops = script(startStream(), writeForever(256 * 1024), lastStep([]));
  const response = await new Promise<import("node:http").IncomingMessage>((resolve) => {
    request({ port: worker.port, host: "127.0.0.1", headers: { "x-script": ops } }, resolve).end();
  });
  let received = 0;
  const read = async (bytes: number): Promise<void> => {
    const goal = received + bytes;
    for (; received < goal; ) {
      const part: Buffer | null = response.read();
      if (part === null) await new Promise((resolve) => response.once("readable", resolve));
      else received += part.length;
    }
  };
  await read(50 * mebibyte);
  const before = residentBytes();
  for (let i = 0; i < 30; i++) {
    await pause(50);
    await read(2 * mebibyte);
  }
  await pause(500);
  const grown = residentBytes() - before;
  response.destroy();
  assert.ok(grown < 24 * mebibyte, `memory grew by ${grown} bytes`);
});

/** Reserves memory for an endless answer, of which it takes little, until its socket is destroyed. */
async function holdMemory(bytes: number): Promise<Socket> {
  const reserve = step([{ effect: "reserve_memory", bytes, turn: "" }]);
  const ops = script(reserve, startStream(), writeForever(256 * 1024), lastStep([]));
  const { socket, text } = await dial("GET / HTTP/1.1", ops);
  socket.write("\r\n");
  await until(() => text().length >= 300_000);
  socket.pause();
  return socket;
}

test("requests wait for memory that another request holds, and go on when it is given back", async () => {
  const holder = await holdMemory(55 * mebibyte);
  const reserve = step([{ effect: "reserve_memory", bytes: 55 * mebibyte, turn: "" }]);
  const began = Date.now();
  const waiting = [1, 2, 3].map(() => call(script(reserve, answerReplies())));
  assert.equal((await call(script(answerOk("small ones pass")))).status, 200);
  await pause(500);
  holder.destroy();
  for (const answer of await Promise.all(waiting)) {
    assert.deepEqual((await replyOf(answer)).replies, [{ ok: true }]);
  }
  const took = Date.now() - began;
  assert.ok(took >= 500, `${took} ms`);
});

test("a request that gets no memory within ten seconds has the stored answer", async () => {
  const holder = await holdMemory(55 * mebibyte);
  holder.on("data", () => holder.pause());
  const taking = setInterval(() => holder.resume(), 100);
  const ops = script(
    step([{ effect: "reserve_memory", bytes: 30 * mebibyte, turn: "" }]),
    answerReplies(),
  );
  const began = Date.now();
  const answer = await call(ops);
  const took = Date.now() - began;
  assert.equal(answer.headers.get("x-stored"), "overloaded");
  assert.ok(took >= 9_500, `${took} ms`);
  // One that takes no more has to make room.
  clearInterval(taking);
  assert.deepEqual((await replyOf(await call(ops))).replies, [{ ok: true }]);
  holder.destroy();
});

test("a client that leaves gives its instance back", async () => {
  const ops = script(
    step([{ effect: "reserve_memory", bytes: 55 * mebibyte, turn: "" }]),
    startStream(),
    writeForever(262144),
    lastStep([]),
  );
  for (let i = 0; i < 5; i++) {
    const client = await dial("GET / HTTP/1.1", ops);
    client.socket.write("\r\n");
    await until(() => client.text().length >= 300_000);
    client.socket.destroy();
  }
});
