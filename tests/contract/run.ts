// Runs the contract suite, or the test files given as arguments, with one server for all that need no own:
//   node tests/contract/run.ts [file …]
// `WASM_BUILD` chooses the build, as everywhere; `TEST_CONCURRENCY` is how many files run at a time. Those that took
// longest the last time begin first, so that the end does not wait for one of them alone.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { kRoot, startServer, wasmBuild } from "./server.ts";

const kParallelFiles = Number(process.env["TEST_CONCURRENCY"] || 3);
/** Ends what hangs. No slow machine comes near it. */
const kTestTimeoutMs = 1_800_000;
/** A line for each file that was ever run: its seconds by the clock, and its path. */
const kTimesFile = join(kRoot, `build/log/file_times.${wasmBuild()}.txt`);

const kUnknownSeconds = 1_000_000;

function readTimes(): Map<string, number> {
  let text = "";
  try {
    text = readFileSync(kTimesFile, "utf8");
  } catch {
    // Nothing was run yet.
  }
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(
    lines.map((line) => {
      const [seconds, file = ""] = line.trim().split(/\s+/);
      return [file, Number(seconds)];
    }),
  );
}

function keepTimes(times: ReadonlyMap<string, number>): void {
  const lines = [...times]
    .sort(([, one], [, other]) => other - one)
    .map(([file, seconds]) => `${seconds.toFixed(1).padStart(7)} ${file}\n`);
  mkdirSync(dirname(kTimesFile), { recursive: true });
  writeFileSync(kTimesFile, lines.join(""));
}

function nameOf(file: string): string {
  return relative(kRoot, file);
}

const times = readTimes();
/** What was never run may take long, and in these folders it does. */
const secondsOf = (file: string): number =>
  times.get(nameOf(file)) ??
  (/^tests\/(faults|openapi)\//.test(nameOf(file)) ? kUnknownSeconds + 1 : kUnknownSeconds);
const given = process.argv.slice(2);
const contract = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join(import.meta.dirname, name));
const files = (given.length > 0 ? given : contract)
  .map((file) => resolve(file))
  .sort((one, other) => secondsOf(other) - secondsOf(one));

// Who ends this ends the files that run, and they their servers.
const ending = new AbortController();
const { signal } = ending;
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => ending.abort());
const server = await startServer();
process.env["CONTRACT_ORIGIN"] = server.origin;
process.env["CONTRACT_STATE_DIR"] = server.stateDir ?? "";
const events = run({ files, concurrency: kParallelFiles, timeout: kTestTimeoutMs, signal });
events.on("test:fail", () => {
  process.exitCode = 1;
});
events.on("test:complete", ({ name, file, details }) => {
  // A file as a whole goes by its own path, and takes in what it does before its first test.
  if (name === file && !signal.aborted) times.set(nameOf(file), details.duration_ms / 1_000);
});
const shown = events.compose(new spec());
shown.pipe(process.stdout);
await new Promise((done) => shown.once("end", done));
keepTimes(times);
// Fails where the server went beyond a limit of production.
await server.stop();
