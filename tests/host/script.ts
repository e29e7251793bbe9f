// Scripts for the fixture core (fixture.cc), and the fixture itself, built when its source is newer.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, statSync } from "node:fs";

import { type FixtureText, numberOf } from "./fixture_statements.ts";

const root = `${import.meta.dirname}/../../`;
export const fixturePath = `${root}build/host/fixture.wasm`;

export function compileFixture(): WebAssembly.Module {
  return compile(buildFixture());
}

export function compile(bytes: Uint8Array): WebAssembly.Module {
  // The Workers types leave out compiling from bytes, which workerd does not do.
  const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
  return new Module(bytes);
}

export function buildFixture(): Uint8Array {
  const source = `${root}tests/host/fixture.cc`;
  const built = statSync(fixturePath, { throwIfNoEntry: false });
  if (built === undefined || built.mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(`${root}build/host`, { recursive: true });
    // Test files run side by side: each builds a file of its own, and the last one stays.
    const building = `${fixturePath}.${process.pid}`;
    execFileSync(process.env["WASI_CXX"] ?? "clang++-22", [
      "--target=wasm32",
      "-std=c++20",
      "-O1",
      "-nostdlib",
      "-ffreestanding",
      "-mbulk-memory",
      "-Wall",
      "-Wextra",
      "-Wno-int-to-pointer-cast",
      "-fuse-ld=lld",
      "-Wl,--no-entry",
      "-Wl,--initial-memory=1048576",
      "-Wl,--max-memory=67108864",
      source,
      "-o",
      building,
    ]);
    renameSync(building, fixturePath);
  }
  return new Uint8Array(readFileSync(fixturePath));
}

export type Scripted = Record<string, unknown>;

/** One step of the fixture: effects, and the sections they name. */
export function step(effects: readonly Scripted[], sections: readonly string[] = []): Buffer {
  return operation("S", frameOf({ done: false, effects }, sections));
}

/** The last step. */
export function lastStep(effects: readonly Scripted[], sections: readonly string[] = []): Buffer {
  return operation("S", frameOf({ done: true, effects }, sections));
}

export const answerOk = (text: string): Buffer =>
  lastStep(
    [{ effect: "respond", status: 200, headers: [["content-type", "text/plain"]], section: 0 }],
    [text],
  );

/** An answer before the last step. */
export const answerAndGoOn = (text: string): Buffer =>
  step([{ effect: "respond", status: 202, headers: [], section: 0 }], [text]);

/** A batch of one statement whose one parameter is the head of the start frame. */
export const storeHead = (text: FixtureText): Buffer => counted("H", numberOf(text));

export const startStream = (): Buffer =>
  step([{ effect: "respond", status: 200, headers: [], stream: true }]);
export const writeForever = (bytes: number): Buffer => counted("W", bytes);
export const countBody = (): Buffer => counted("B", 0);
export const answerCounts = (): Buffer => counted("C", 0);
export const answerReplies = (): Buffer => counted("E", 0);
export const growPages = (pages: number): Buffer => counted("G", pages);
export const trap = (): Buffer => counted("T", 0);

export const script = (...operations: readonly Buffer[]): string =>
  Buffer.concat(operations).toString("hex");

export function frameOf(head: unknown, sections: readonly (string | Uint8Array)[]): Buffer {
  const parts = [JSON.stringify(head), ...sections].map((part) => Buffer.from(part));
  return Buffer.concat(parts.flatMap((part) => [u32(part.length), part]));
}

function operation(letter: string, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(letter), u32(bytes.length), bytes]);
}

function counted(letter: string, count: number): Buffer {
  return Buffer.concat([Buffer.from(letter), u32(count)]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
