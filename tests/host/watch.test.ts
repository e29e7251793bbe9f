// When the supervisor gives a server up: one that is merely busy is left alone, one that is silent is not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { test } from "node:test";
import { type Probing, pause, untilSilent } from "../../host/dev/watch.ts";

/** A bound for what hangs. No slow machine comes near it. */
const kTest = { timeout: 120_000 };
const kProbing: Probing = { intervalMs: 1, timeoutMs: 60_000, silent: 3 };
const kShortMs = 20;
/** Several times as many as would end a server, if they went without an answer. */
const kProbes = 4 * kProbing.silent;

const isProbe = (method: string | undefined): boolean => method === "OPTIONS";

interface Watched {
  /** The methods of all requests so far. */
  readonly asked: string[];
  /** Why the server was given up. */
  readonly reason: () => string | undefined;
}

/** Watches a server while `work` runs. */
async function whileWatched(
  answer: RequestListener,
  probing: Probing,
  work: (watched: Watched) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.method ?? "");
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  let reason: string | undefined;
  let end = (): void => {};
  const ended = new Promise<void>((done) => {
    end = done;
  });
  const watching = untilSilent(address.port, ended, probing).then((why) => {
    reason = why;
  });
  try {
    await work({ asked, reason: () => reason });
  } finally {
    end();
    server.closeAllConnections();
    server.close();
    await watching;
  }
}

test(
  "watch: a server that answers OPTIONS while /health waits is not given up",
  kTest,
  async () => {
    const busy: RequestListener = (request, response) => {
      if (isProbe(request.method)) response.writeHead(204).end();
    };
    await whileWatched(busy, kProbing, async ({ asked, reason }) => {
      while (asked.length < kProbes && asked.every(isProbe) && reason() === undefined)
        await pause(1);
      assert.equal(reason(), undefined);
      assert.deepEqual(new Set(asked), new Set(["OPTIONS"]));
    });
  },
);

test(
  "watch: a server that leaves some probes without an answer, never all, is not given up",
  kTest,
  async () => {
    let probes = 0;
    const slow: RequestListener = (_, response) => {
      if (++probes % kProbing.silent === 0) response.writeHead(204).end();
      else response.destroy();
    };
    await whileWatched(slow, kProbing, async ({ asked, reason }) => {
      while (asked.length < kProbes && reason() === undefined) await pause(1);
      assert.equal(reason(), undefined);
    });
  },
);

test("watch: a server that takes requests and says nothing is given up", kTest, async () => {
  const probing = { ...kProbing, timeoutMs: kShortMs };
  await whileWatched(
    () => {},
    probing,
    async ({ asked, reason }) => {
      while (reason() === undefined) await pause(1);
      assert.equal(reason(), "nothing answers any more");
      assert.ok(asked.length <= probing.silent, `${asked.length} probes`);
    },
  );
});
