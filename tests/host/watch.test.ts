// When the supervisor gives a server up: one that is merely busy is left alone, one that is silent is not, and neither is
// one that stays unwell although nothing keeps it from being well.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { type Probing, pause, untilGivenUp } from "../../host/dev/watch.ts";

/** A bound for what hangs. No slow machine comes near it. */
const kTest = { timeout: 120_000 };
const kProbing: Probing = {
  intervalMs: 1,
  timeoutMs: 60_000,
  silent: 3,
  healthIntervalMs: 1,
  unwell: 3,
};
const kShortMs = 20;
/** Several times as many as would end a server by their answers. */
const kProbes = 12;

/** "waits" leaves a request without an answer, "breaks" its connection, too. */
type Answer = "well" | "unwell" | "waits" | "breaks";

/** A server by what it answers to the request with that method, of which so many came before. */
interface Server {
  readonly OPTIONS: (before: number) => Answer;
  readonly GET: (before: number) => Answer;
  readonly isWritable?: () => boolean;
  readonly probing?: Probing;
}

/** Why the server was given up, or `undefined` when it was not while so many of each request came. */
async function watched(server: Server, wanted: Partial<Record<string, number>>) {
  const asked: Record<string, number> = { OPTIONS: 0, GET: 0 };
  const listening = createServer(({ method }, response) => {
    assert.ok(method === "OPTIONS" || method === "GET");
    const before = asked[method] ?? 0;
    asked[method] = before + 1;
    const answer = server[method](before);
    if (answer === "breaks") response.destroy();
    else if (answer !== "waits") response.writeHead(answer === "well" ? 200 : 503).end();
  }).listen(0, "127.0.0.1");
  await once(listening, "listening");
  const address = listening.address();
  assert.ok(typeof address === "object" && address !== null);
  let reason: string | undefined;
  const end = new AbortController();
  const ended = once(end.signal, "abort");
  const isWritable = server.isWritable ?? ((): boolean => true);
  const watching = untilGivenUp(address.port, ended, isWritable, server.probing ?? kProbing).then(
    (why) => {
      reason = why;
    },
  );
  const isLacking = (): boolean =>
    Object.entries(wanted).some(([method, count = 0]) => (asked[method] ?? 0) < count);
  while (isLacking() && reason === undefined) await pause(1);
  const told = reason;
  end.abort();
  listening.closeAllConnections();
  listening.close();
  await watching;
  return told;
}

const well = (): Answer => "well";
const waits = (): Answer => "waits";

test(
  "watch: a server that answers OPTIONS while /health waits is not given up",
  kTest,
  async () => {
    const reason = await watched({ OPTIONS: well, GET: waits }, { OPTIONS: kProbes, GET: 1 });
    assert.equal(reason, undefined);
  },
);

test(
  "watch: a server that leaves most probes without an answer is not given up",
  kTest,
  async () => {
    const OPTIONS = (before: number): Answer =>
      before % kProbing.silent === kProbing.silent - 1 ? "well" : "breaks";
    assert.equal(await watched({ OPTIONS, GET: waits }, { OPTIONS: kProbes }), undefined);
  },
);

test("watch: a server that takes requests and says nothing is given up", kTest, async () => {
  const probing = { ...kProbing, timeoutMs: kShortMs };
  const reason = await watched({ OPTIONS: waits, GET: waits, probing }, { OPTIONS: kProbes });
  assert.equal(reason, "nothing answers any more");
});

test(
  "watch: a server that was well and stays unwell is given up once its store can be written",
  kTest,
  async () => {
    const GET = (before: number): Answer => (before === 0 ? "well" : "unwell");
    let looks = 0;
    const isWritable = (): boolean => ++looks > kProbes;
    const reason = await watched({ OPTIONS: well, GET, isWritable }, { GET: 3 * kProbes });
    assert.equal(reason, "/health stays degraded");
    assert.equal(looks, kProbes + kProbing.unwell);
  },
);

test(
  "watch: a server that was never well, or is now and then, is not given up",
  kTest,
  async () => {
    const never = (): Answer => "unwell";
    const often = (before: number): Answer => (before % kProbing.unwell === 0 ? "well" : "unwell");
    for (const GET of [never, often]) {
      assert.equal(await watched({ OPTIONS: well, GET }, { GET: kProbes }), undefined);
    }
  },
);
