// Readers that stall, in workerd with real sockets: they hold nobody up.

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  answerOk,
  answerReplies,
  lastStep,
  script,
  startStream,
  step,
  writeForever,
} from "./script.ts";
import { startWorker, type Worker } from "./workerd.ts";

let worker: Worker;
before(async () => {
  worker = await startWorker();
});
after(() => worker.stop());

/** A bound for what hangs. No slow machine comes near it. */
const stateTimeoutMs = 120_000;
/** Half of what the pool lets anybody wait for room. */
const heldUpMs = 5_000;
const readers = 40;
const mebibyte = 1024 * 1024;
const endless = script(startStream(), writeForever(256 * 1024), lastStep([]));

/** Asks for an endless answer and takes nothing of it before it is told to. */
async function stall(): Promise<Socket> {
  const socket = connect(worker.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx-script: ${endless}\r\n\r\n`);
  return socket;
}

/** More than all buffers on the way hold: who sends so much is still there. */
const stillSentBytes = 32 * mebibyte;

/** Takes what there is, until it ends or is seen to go on; whether it ended, its first bytes and its last. */
function drain(socket: Socket): Promise<{ ended: boolean; head: string; tail: string }> {
  return new Promise((done) => {
    const all = { ended: true, head: "", tail: "" };
    if (socket.closed) return done(all);
    let taken = 0;
    socket.on("data", (part: Buffer) => {
      all.head ||= part.subarray(0, 12).toString("latin1");
      all.tail = part.subarray(-5).toString("latin1");
      taken += part.length;
      if (taken > stillSentBytes) socket.destroy();
    });
    socket.on("close", () => done({ ...all, ended: taken <= stillSentBytes }));
    socket.resume();
  });
}

async function call(ops: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${worker.port}/`, { headers: { "x-script": ops } });
  await answer.arrayBuffer();
  return answer.status;
}

test("readers that stall hold nobody up, and are cut off for what does not fit beside them", async () => {
  const alive = await stall();
  let taken = 0;
  alive.on("data", (part: Buffer) => {
    taken += part.length;
  });
  const taking = setInterval(() => void (alive.isPaused() ? alive.resume() : alive.pause()), 500);
  alive.resume();
  const sockets = await Promise.all(Array.from({ length: readers }, stall));
  await pause(1000);
  for (let i = 0; i < 50; i++) {
    const began = Date.now();
    assert.equal(await call(script(answerOk("fine"))), 200);
    assert.ok(Date.now() - began < heldUpMs, `${Date.now() - began} ms`);
  }
  const large = step([{ effect: "reserve_memory", bytes: 48 * mebibyte, turn: "" }]);
  assert.equal(await call(script(large, answerReplies())), 200);
  const before = taken;
  // One that takes something now and then is still served.
  for (const deadline = Date.now() + stateTimeoutMs; taken === before; await pause(100))
    assert.ok(Date.now() < deadline);
  clearInterval(taking);
  alive.destroy();
  const drained = [];
  for (const socket of sockets) drained.push(await drain(socket));
  const cut = drained.filter((one) => one.ended && one.head.endsWith("200"));
  assert.ok(cut.length >= 5 && cut.length < readers / 2, `${cut.length} were cut off`);
  assert.ok(cut.every((one) => one.tail !== "0\r\n\r\n"));
  assert.equal(await call(script(large, answerReplies())), 200);
});
