import assert from "node:assert/strict";
import { test } from "node:test";
import { Instance } from "../../host/shared/core/instance.ts";
import { drive, type Host, wake } from "../../host/shared/drive.ts";
import { makeHost, module, noTurn, quick, quietly, reply, run } from "./fake_host.ts";
import { numberOf } from "./fixture_statements.ts";
import {
  answerAndGoOn,
  answerCounts,
  answerOk,
  answerReplies,
  countBody,
  growPages,
  lastStep,
  script,
  startStream,
  step,
  storeHead,
  trap,
  writeForever,
} from "./script.ts";

/** Wakes the core with a script, and answers with what was logged as an error. */
async function wakeWith(host: Host, ops: string): Promise<string[]> {
  const lines: string[] = [];
  await quietly(
    () => wake({ ...host, varsJson: JSON.stringify({ wake_60000: ops }) }, 60_000),
    lines,
  );
  return lines;
}

test("an answer has the core's status, headers and body, and the request's id", async () => {
  const { host, pool } = makeHost();
  const { response, finished } = run(host, script(answerOk("hällo")));
  const answer = await response;
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "text/plain");
  assert.match(answer.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(await answer.text(), "hällo");
  await finished;
  assert.equal(pool.usedBytes, new Instance(module).memoryBytes);
});

test("the effects of a step are performed together and replied to in order", async () => {
  const { host, store } = makeHost();
  store.outcome = {
    ok: true,
    results: [{ columns: ["n"], rows: [{ n: 7 }], rowsRead: 1, rowsWritten: 0, changes: 0 }],
  };
  const effects = [
    { effect: "query", statements: [{ statement: 5, params: [1, null, "x", { section: 0 }] }] },
    { effect: "seal", section: 0, context: "c" },
    { effect: "batch", statements: [{ statement: 0, params: [] }], ...noTurn },
  ];
  const { response } = run(host, script(step(effects, ["läng"]), answerReplies()));
  const { replies } = await reply(await response);
  assert.deepEqual(
    store.calls.map((call) => call.doing),
    ["query", "batch"],
  );
  assert.deepEqual(store.calls[0]?.statements, [{ number: 5, params: [1, null, "x", "läng"] }]);
  assert.deepEqual(
    replies.map((r) => r["ok"]),
    [true, false, true],
  );
  assert.equal(replies[1]?.["error"], "no_key");
});

test("a trap before the answer sends the stored answer, and the next request works", async () => {
  const { host, pool } = makeHost();
  for (const ops of [script(trap()), script(step([{ effect: "query", statements: [] }]), trap())]) {
    const { response, finished } = run(host, ops);
    const answer = await quietly(async () => {
      await finished;
      return response;
    });
    assert.equal(answer.status, 500);
    assert.equal(answer.headers.get("x-stored"), "trap");
    assert.ok(answer.headers.has("x-request-id"));
    assert.equal(pool.usedBytes, 0);
    assert.equal(await (await run(host, script(answerOk("fine"))).response).text(), "fine");
  }
});

test("a trap after a batch says that the outcome is not known, whatever became of the batch", async () => {
  for (const outcome of [
    { ok: true, results: [] },
    { ok: false, error: "unavailable" },
  ] as const) {
    const { host, store } = makeHost();
    store.outcome = outcome;
    const batch = step([{ effect: "batch", statements: [], ...noTurn }]);
    const query = step([{ effect: "query", statements: [] }]);
    for (const ops of [script(batch, trap()), script(query, batch, query, trap())]) {
      const answer = await quietly(() => run(host, ops).response);
      assert.equal(answer.status, 500);
      assert.equal(answer.headers.get("x-stored"), "trap_after_batch");
    }
    const next = await quietly(() => run(host, script(query, trap())).response);
    assert.equal(next.headers.get("x-stored"), "trap", "each invocation has its own outcome");
  }
});

test("a trap within a streamed answer cuts it off", async () => {
  const { host } = makeHost();
  await quietly(async () => {
    const part = step([{ effect: "write", section: 0 }], ["part"]);
    const { response, finished } = run(host, script(startStream(), part, trap()));
    const answer = await response;
    await assert.rejects(answer.text());
    await finished;
  });
});

test("a core that ends without an answer, or answers twice, is a failure", async () => {
  const { host } = makeHost();
  await quietly(async () => {
    assert.equal((await run(host, script(lastStep([]))).response).status, 500);
    const { response, finished } = run(host, script(startStream(), answerOk("again")));
    await assert.rejects((await response).text());
    await finished;
  });
});

test("a step that does not fit the ABI is a failure", async () => {
  const { host } = makeHost();
  await quietly(async () => {
    for (const effects of [
      [{ effect: "dance" }],
      [{ effect: "query", statements: [{ statement: -1.5, params: [] }] }],
      [7],
    ]) {
      assert.equal((await run(host, script(step(effects as never, ["x"]))).response).status, 500);
    }
  });
});

test("a stored answer to HEAD has no body", async () => {
  const { host } = makeHost();
  const answer = await quietly(() => run(host, script(trap()), { method: "HEAD" }).response);
  assert.equal(answer.status, 500);
  assert.equal(answer.body, null);
});

test("a streamed answer waits for its reader, and ends when the reader leaves", async () => {
  const { host } = makeHost();
  const { response, finished } = run(
    host,
    script(startStream(), writeForever(65536), lastStep([])),
  );
  const reader = (await response).body!.getReader();
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let i = 0; i < 100; i++) assert.equal((await reader.read()).value?.byteLength, 65536);
  await reader.cancel();
  await finished;
});

test("`end` closes a streamed answer, `abort` cuts it off", async () => {
  const { host } = makeHost();
  const part = step([{ effect: "write", section: 0 }], ["part"]);
  const ended = await run(host, script(startStream(), part, part, lastStep([{ effect: "end" }])))
    .response;
  assert.equal(await ended.text(), "partpart");
  const aborted = await run(host, script(startStream(), part, lastStep([{ effect: "abort" }])))
    .response;
  await assert.rejects(aborted.text());
});

test("a body of announced length arrives in parts of 64 to 256 KiB, however it is chunked", async () => {
  const { host } = makeHost();
  for (const chunkBytes of [100, 65537, 700_000]) {
    let left = 2_000_000;
    const body = new ReadableStream({
      pull: (controller) => {
        const bytes = Math.min(left, chunkBytes);
        if (bytes > 0) controller.enqueue(new Uint8Array(bytes));
        left -= bytes;
        if (left === 0) controller.close();
      },
    });
    const headers = { "content-length": "2000000" };
    const answer = await run(host, script(countBody(), answerCounts()), { body, headers }).response;
    const [, bytes, , parts, , small] = (await answer.text()).split(" ").map(Number);
    assert.equal(bytes, 2_000_000);
    assert.ok(parts! >= 8 && parts! <= 32, `${parts} parts`);
    assert.ok(small! <= 1, `${small} small parts`);
  }
});

test("a body that ends before its announced length, or fails, is cut off", async () => {
  const { host } = makeHost();
  const ops = script(
    step([{ effect: "read_body" }]),
    step([{ effect: "read_body" }]),
    answerReplies(),
  );
  const short = await run(host, ops, { body: "short", headers: { "content-length": "10" } })
    .response;
  assert.deepEqual((await reply(short)).replies, [{ ok: false, error: "cut_off" }]);
  const failing = new ReadableStream({
    start: (controller) => controller.error(new Error("gone")),
  });
  const failed = await run(host, ops, { body: failing }).response;
  assert.deepEqual((await reply(failed)).replies, [{ ok: false, error: "cut_off" }]);
});

test("the end of a body is told again as often as it is asked for", async () => {
  const { host } = makeHost();
  const read = step([{ effect: "read_body" }]);
  const answer = await run(host, script(read, read, read, answerReplies()), { body: "whole" })
    .response;
  assert.deepEqual((await reply(answer)).replies, [{ ok: true, end: true }]);
  const none = await run(host, script(read, answerReplies())).response;
  assert.deepEqual((await reply(none)).replies, [{ ok: true, end: true }]);
});

test("queries and reads of a client that left are cancelled, a batch is not", async () => {
  const { host, store } = makeHost();
  const effects = [
    { effect: "query", statements: [] },
    { effect: "read_body" },
    { effect: "batch", statements: [], ...noTurn },
  ];
  const { response } = run(host, script(step(effects), answerReplies()), {
    signal: AbortSignal.abort(),
  });
  const { replies } = await reply(await response);
  assert.deepEqual(
    replies.map((r) => r["error"] ?? r["ok"]),
    ["cancelled", "cancelled", true],
  );
  assert.deepEqual(
    store.calls.map((call) => call.doing),
    ["batch"],
  );
});

test("a flow answers and goes on: behind the answer it still has the store", async () => {
  const { host, store } = makeHost();
  const left = new AbortController();
  const statements = [{ statement: 0, params: [] }];
  const ops = script(
    answerAndGoOn("accepted"),
    step([{ effect: "query", statements }]),
    step([{ effect: "batch", statements, ...noTurn }]),
    lastStep([]),
  );
  const { response, finished } = run(host, ops, { signal: left.signal });
  const answer = await response;
  assert.deepEqual([answer.status, await answer.text()], [202, "accepted"]);
  left.abort();
  await finished;
  assert.deepEqual(
    store.calls.map(({ doing }) => doing),
    ["query", "batch"],
  );
});

test("what fails behind the answer leaves the answer as it is", async () => {
  const { host } = makeHost();
  const { response, finished } = run(host, script(answerAndGoOn("accepted"), trap()));
  assert.equal(await (await response).text(), "accepted");
  await finished;
  const next = run(host, script(answerOk("fine")));
  assert.equal(await (await next.response).text(), "fine");
});

test("an asset's bytes are sent with the core's headers and its tag; a missing one is refused", async () => {
  const { host } = makeHost();
  const asset = (path: string): Record<string, unknown> => ({
    effect: "respond",
    status: 200,
    headers: [["cache-control", "no-cache"]],
    asset: path,
  });
  const found = script(lastStep([asset("/a.txt")]));
  const expected = [
    [{}, 200, "asset bytes"],
    [{ method: "HEAD" }, 200, ""],
    [{ headers: { "if-none-match": '"a"' } }, 304, ""],
  ] as const;
  for (const [init, status, text] of expected) {
    const answer = await run(host, found, init).response;
    assert.equal(answer.status, status);
    assert.equal(await answer.text(), text);
    assert.equal(answer.headers.get("etag"), '"a"');
    assert.equal(answer.headers.get("cache-control"), "no-cache");
  }
  const missing = await run(host, script(step([asset("/b.txt")]), answerReplies())).response;
  assert.deepEqual((await reply(missing)).replies, [{ ok: false, error: "refused" }]);
});

test("every answer says what browsers may do with it, and over TLS that it stays so", async () => {
  const { host } = makeHost();
  const fields = async (scheme: "http" | "https", ops: string): Promise<(string | null)[]> => {
    const { headers } = await quietly(() => run(host, ops, { scheme }).response);
    const names = [
      "x-content-type-options",
      "cross-origin-resource-policy",
      "referrer-policy",
      "strict-transport-security",
    ];
    return names.map((name) => headers.get(name));
  };
  for (const ops of [script(answerOk("fine")), script(trap())]) {
    const plain = ["nosniff", "same-origin", "no-referrer"];
    assert.deepEqual(await fields("http", ops), [...plain, null]);
    assert.deepEqual(await fields("https", ops), [...plain, "max-age=31536000"]);
  }
});

test("results too large for a frame are refused", async () => {
  const { host, store } = makeHost();
  const rows = Array.from({ length: 20 }, () => ({ data: "x".repeat(1 << 20) }));
  store.outcome = {
    ok: true,
    results: [{ columns: ["data"], rows, rowsRead: 20, rowsWritten: 0, changes: 0 }],
  };
  const ops = script(step([{ effect: "query", statements: [] }]), answerReplies());
  const answer = await quietly(() => run(host, ops).response);
  assert.deepEqual((await reply(answer)).replies, [{ ok: false, error: "refused" }]);
});

test("one instance that grew large is kept, for who reserves as much", async () => {
  const { host, pool } = makeHost();
  const fresh = new Instance(module).memoryBytes;
  const grow = async (pages: number, ...before: Buffer[]): Promise<void> => {
    const { response, finished } = run(
      host,
      script(...before, growPages(pages), answerOk("large")),
    );
    await response;
    await finished;
  };
  await grow(300);
  const grown = pool.usedBytes;
  assert.ok(grown > 20_000_000);
  await grow(0);
  assert.equal(pool.usedBytes, grown + fresh);
  await grow(10, step([{ effect: "reserve_memory", bytes: 2 * grown, turn: "7" }]));
  assert.ok(pool.usedBytes > grown + fresh, "the large one was used");
  const both = pool.usedBytes;
  for (const pages of [300, 900]) {
    await grow(pages);
    assert.equal(pool.usedBytes, both - fresh, "neither a second one is kept, nor one beyond use");
  }
});

test("without room for an instance the stored answer for overload is sent", async () => {
  const size = new Instance(module).memoryBytes;
  const { host } = makeHost({ ...quick, budgetBytes: size });
  const slow = run(host, script(startStream(), writeForever(300_000), lastStep([])));
  const streamed = await slow.response;
  const refused = await run(host, script(answerOk("never"))).response;
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get("x-stored"), "overloaded");
  await streamed.body!.cancel();
  await slow.finished;
  assert.equal((await run(host, script(answerOk("room"))).response).status, 200);
});

/** A body of which a test sends piece by piece. */
function pieces(): { stream: ReadableStream; send: (text: string) => void; end: () => void } {
  let to: ReadableStreamDefaultController | undefined;
  const stream = new ReadableStream({
    start: (controller) => {
      to = controller;
    },
  });
  return {
    stream,
    send: (text) => to?.enqueue(new TextEncoder().encode(text)),
    end: () => to?.close(),
  };
}

const read = step([{ effect: "read_body" }]);

test("a body is gathered without an instance, and the invocation begins anew with it", async () => {
  const size = new Instance(module).memoryBytes;
  const { host, store, pool } = makeHost({ ...quick, budgetBytes: size });
  const query = step([{ effect: "query", statements: [] }]);
  const body = pieces();
  const headers = { "content-length": "10" };
  const ops = script(query, read, answerReplies());
  const slow = run(host, ops, { body: body.stream, headers });
  body.send("hello");
  while (store.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  // There is one instance in all, and somebody else has it now.
  assert.equal(await (await run(host, script(answerOk("between"))).response).text(), "between");
  assert.equal(pool.usedBytes, size);
  body.send("world");
  const bytes = Buffer.from(await (await slow.response).arrayBuffer());
  assert.match(bytes.toString("latin1"), /helloworld$/);
  assert.equal(store.calls.length, 2);
  await slow.finished;
  assert.equal(host.room.usedBytes, 0);
});

test("who is refused has the answer while the body is on its way", async () => {
  const { host } = makeHost();
  const body = pieces();
  const refused = run(host, script(answerOk("no")), { body: body.stream });
  assert.equal(await (await refused.response).text(), "no");
  body.end();
  await refused.finished;
});

test("a body without a length that pauses is shown to the core, and read from its beginning again", async () => {
  const { host, store } = makeHost();
  const query = step([{ effect: "query", statements: [] }]);
  const body = pieces();
  const shown = run(host, script(read, query, read, read, answerReplies()), { body: body.stream });
  body.send("wrong");
  while (store.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  body.send(" from here");
  body.end();
  assert.deepEqual((await reply(await shown.response)).replies, [{ ok: true, end: true }]);
  assert.equal(store.calls.length, 2);
  const early = pieces();
  const answered = run(host, script(read, answerReplies()), { body: early.stream });
  early.send("wrong");
  assert.match(await (await answered.response).text(), /wrong$/);
  early.end();
});

test("paths apart are answered although no instance is left", async () => {
  const { host } = makeHost({ ...quick, budgetBytes: new Instance(module).memoryBytes });
  const slow = run(host, script(startStream(), writeForever(300_000), lastStep([])));
  const streamed = await slow.response;
  const headers = { "x-script": script(answerOk("well")) };
  const request = new Request("http://host/apart?x=1", { headers });
  const { response } = drive(host, request as unknown as Parameters<typeof drive>[1]);
  assert.equal(await (await response).text(), "well");
  await streamed.body!.cancel();
});

test("a reader that stalls is cut off for somebody who waits", async () => {
  const size = new Instance(module).memoryBytes;
  const options = { ...quick, budgetBytes: size, contestedIdleMs: 20, waitMs: 2000 };
  const { host } = makeHost(options);
  const stalled = run(host, script(startStream(), writeForever(300_000), lastStep([])));
  const streamed = await stalled.response;
  assert.equal((await run(host, script(answerOk("room"))).response).status, 200);
  await stalled.finished;
  await assert.rejects(streamed.text(), /stalled/);
});

test("an invocation that finds no room for its stream begins anew when there is some", async () => {
  const size = new Instance(module).memoryBytes;
  const { host, store, pool } = makeHost({ ...quick, streamsBytes: size, waitMs: 2000 });
  const first = run(host, script(startStream(), writeForever(300_000), lastStep([])));
  const streamed = await first.response;
  const query = step([{ effect: "query", statements: [] }]);
  const part = step([{ effect: "write", section: 0 }], ["part"]);
  const second = run(host, script(query, startStream(), part, lastStep([{ effect: "end" }])));
  // One is idle while the second waits.
  while (pool.usedBytes !== 2 * size) await new Promise((resolve) => setTimeout(resolve, 1));
  await streamed.body!.cancel();
  await first.finished;
  assert.equal(await (await second.response).text(), "part");
  assert.equal(store.calls.length, 2);
});

test("an invocation that has written does not begin anew", async () => {
  const size = new Instance(module).memoryBytes;
  const { host, store } = makeHost({ ...quick, budgetBytes: 2 * size });
  const batch = step([{ effect: "batch", statements: [], ...noTurn }]);
  const reserve = step([{ effect: "reserve_memory", bytes: 2 * size, turn: "" }]);
  const answer = await run(host, script(batch, reserve, answerReplies())).response;
  assert.deepEqual((await reply(answer)).replies, [{ ok: false, error: "overloaded" }]);
  assert.equal(store.calls.length, 1);
});

test("a wake performs effects like a request, and ends without an answer", async () => {
  const { host, store, pool } = makeHost();
  const query = step([{ effect: "query", statements: [{ statement: 7, params: [] }] }]);
  const log = lastStep([{ effect: "log", level: "error", message: "last" }]);
  const lines = await wakeWith(
    host,
    script(query, storeHead("INSERT INTO woken VALUES (?1)"), log),
  );
  assert.deepEqual(
    store.calls.map((call) => [call.doing, call.statements[0]?.number]),
    [
      ["query", 7],
      ["batch", numberOf("INSERT INTO woken VALUES (?1)")],
    ],
  );
  const head = JSON.parse(String(store.calls[1]?.statements[0]?.params[0]));
  assert.equal(head.kind, "wake");
  assert.equal(head.scheduled_time, 60_000);
  assert.equal(head.store, "fake");
  assert.deepEqual(lines, [`${head.request_id}: last`]);
  assert.deepEqual(await wakeWith(host, ""), [], "nothing to do");
  assert.equal(pool.usedBytes, new Instance(module).memoryBytes);
});

test("a wake that fails is logged, its instance thrown away, and the next ones work", async () => {
  const { host, pool } = makeHost();
  const answers = ["read_body", "end", "abort"].map((effect) => step([{ effect }]));
  for (const ops of [trap(), answerOk("nobody hears this"), startStream(), ...answers]) {
    const lines = await wakeWith(host, script(ops));
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^[0-9a-f-]{36}: the core failed: /);
    assert.equal(await (await run(host, script(answerOk("fine"))).response).text(), "fine");
    assert.deepEqual(await wakeWith(host, script(lastStep([]))), []);
    assert.equal(pool.usedBytes, new Instance(module).memoryBytes);
  }
});

test("a wake without room for an instance gives up, and says so", async () => {
  const { host } = makeHost({ ...quick, budgetBytes: new Instance(module).memoryBytes });
  const slow = run(host, script(startStream(), writeForever(300_000), lastStep([])));
  const streamed = await slow.response;
  const [line, ...others] = await wakeWith(host, script(lastStep([])));
  assert.match(line ?? "", /: no core was free for a wake$/);
  assert.deepEqual(others, []);
  await streamed.body!.cancel();
  await slow.finished;
  assert.deepEqual(await wakeWith(host, script(lastStep([]))), []);
});
