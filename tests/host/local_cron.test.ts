import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { everyMinute, startLocalCron } from "../../host/dev/local_cron.ts";

const minuteMs = 60_000;
const settle = (): Promise<void> => new Promise((done) => setImmediate(done));

/** A clock that a test moves on, and that shows `now` at first. */
function clock(t: TestContext, now: number): (ms: number) => Promise<void> {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now });
  return async (ms) => {
    t.mock.timers.tick(ms);
    await settle();
  };
}

test("a task runs at each full minute, and is told which", async (t) => {
  const pass = clock(t, 12_345);
  const minutes: number[] = [];
  const stop = everyMinute(async (minute) => void minutes.push(minute));
  await pass(minuteMs - 12_346);
  assert.deepEqual(minutes, []);
  await pass(1);
  assert.deepEqual(minutes, [minuteMs]);
  await pass(minuteMs);
  assert.deepEqual(minutes, [minuteMs, 2 * minuteMs]);
  stop();
  await pass(5 * minuteMs);
  assert.equal(minutes.length, 2);
});

test("a task that takes longer than a minute skips those that pass meanwhile", async (t) => {
  const pass = clock(t, 0);
  const minutes: number[] = [];
  let finish = (): void => {};
  const stop = everyMinute((minute) => {
    minutes.push(minute);
    return new Promise((done) => {
      finish = done;
    });
  });
  await pass(minuteMs);
  await pass(2.5 * minuteMs);
  assert.deepEqual(minutes, [minuteMs]);
  finish();
  await settle();
  await pass(minuteMs / 2 - 1);
  assert.deepEqual(minutes, [minuteMs]);
  await pass(1);
  assert.deepEqual(minutes, [minuteMs, 4 * minuteMs]);
  stop();
  finish();
});

test("a task that ends after the stop is not planned again", async (t) => {
  const pass = clock(t, 0);
  let runs = 0;
  let finish = (): void => {};
  const stop = everyMinute(() => {
    runs++;
    return new Promise((done) => {
      finish = done;
    });
  });
  await pass(minuteMs);
  stop();
  finish();
  await settle();
  await pass(3 * minuteMs);
  assert.equal(runs, 1);
});

test("the hook is called with the minute; failures are told once, none after the stop", async (t) => {
  const asked: string[] = [];
  let answer = async (_signal: AbortSignal): Promise<Response> => new Response("ok");
  t.mock.method(globalThis, "fetch", (url: string, init: { signal: AbortSignal }) => {
    asked.push(url);
    return answer(init.signal);
  });
  const warnings = t.mock.method(console, "error", () => {});
  const pass = clock(t, 0);
  const stop = startLocalCron("http://server");
  const works = answer;
  const refuses = async (): Promise<Response> => new Response("exception", { status: 500 });
  const isDown = async (): Promise<Response> => {
    throw new TypeError("fetch failed", { cause: new Error("connection refused") });
  };
  for (answer of [works, refuses, isDown, works, isDown, works]) await pass(minuteMs);
  assert.deepEqual(
    asked,
    [1, 2, 3, 4, 5, 6].map(
      (minute) =>
        `http://server/cdn-cgi/local/scheduled?cron=%2A+%2A+%2A+%2A+%2A&time=${minute * minuteMs}`,
    ),
  );
  const told = (): unknown[] => warnings.mock.calls.map((call) => call.arguments[0]);
  const expected = [
    "warning: the scheduled wake failed: exception",
    "warning: the scheduled wake failed: connection refused",
  ];
  assert.deepEqual(told(), expected);
  answer = (signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  await pass(minuteMs);
  assert.equal(asked.length, 7);
  stop();
  await settle();
  await pass(minuteMs);
  assert.equal(asked.length, 7);
  assert.deepEqual(told(), expected);
});
