// Runs the contract suite, or the test files given as arguments, with one server for all that need no own:
//   node tests/contract/run.ts [file …]
// `WASM_BUILD` chooses the build, as everywhere; `TEST_CONCURRENCY` is how many files run at a time.

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "./server.ts";

const kParallelFiles = Number(process.env["TEST_CONCURRENCY"] || 3);
/** Ends what hangs. No slow machine comes near it. */
const kTestTimeoutMs = 1_800_000;

const given = process.argv.slice(2);
const files =
  given.length > 0
    ? given
    : readdirSync(import.meta.dirname)
        .filter((name) => name.endsWith(".test.ts"))
        .map((name) => join(import.meta.dirname, name));

const server = await startServer();
const code = await new Promise<number>((done) => {
  const child = spawn(
    process.execPath,
    [
      "--test",
      "--test-reporter=spec",
      `--test-concurrency=${kParallelFiles}`,
      `--test-timeout=${kTestTimeoutMs}`,
      ...files,
    ],
    {
      stdio: "inherit",
      env: {
        ...process.env,
        CONTRACT_ORIGIN: server.origin,
        CONTRACT_STATE_DIR: server.stateDir ?? "",
      },
    },
  );
  child.once("exit", (status) => done(status ?? 1));
});
process.exitCode = code;
// Fails where the server went beyond a limit of production.
await server.stop();
