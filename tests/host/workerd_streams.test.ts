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

/** Takes what there is; whether it ended, and the last of it. */
async function drain(socket: Socket): Promise<{ ended: boolean; head: string; tail: string }> {
  const all = { ended: false, head: "", tail: "" };
  socket.on("data", (part: Buffer) => {
    all.head ||= part.subarray(0, 12).toString("latin1");
    all.tail = part.subarray(-5).toString("latin1");
  });
  socket.on("close", () => {
    all.ended = true;
  });
  socket.resume();
  for (let wait = 0; wait < 50 && !all.ended; wait++) await pause(20);
  return all;
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
  const large = step([{ effect: "reserve_memory", bytes: 48 * mebibyte }]);
  assert.equal(await call(script(large, answerReplies())), 200);
  const before = taken;
  await pause(1000);
  clearInterval(taking);
  assert.ok(taken > before, "one that takes something now and then is still served");
  alive.destroy();
  const drained = await Promise.all(sockets.map(drain));
  const cut = drained.filter((one) => one.ended && one.head.endsWith("200"));
  assert.ok(cut.length >= 5 && cut.length < readers / 2, `${cut.length} were cut off`);
  assert.ok(cut.every((one) => one.tail !== "0\r\n\r\n"));
  for (const socket of sockets) socket.destroy();
  await pause(300);
  assert.equal(await call(script(large, answerReplies())), 200);
});
