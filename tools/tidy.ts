// Runs clang-tidy on the core and the ABI, and remembers what passed: a file is checked again only when something that
// it was compiled from, its compile command or .clang-tidy has changed. The native build must be up to date, since
// ninja's record of included files is where the inputs come from.

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const buildDir = resolve(root, "build/native");
const cacheDir = resolve(root, "build/tidy");

interface CompileCommand {
  file: string;
  command: string;
  output: string;
}

function findClangTidy(): string {
  for (const name of ["clang-tidy-24", "clang-tidy-23", "clang-tidy-22", "clang-tidy"]) {
    try {
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return name;
    } catch {
      // not installed: try the next
    }
  }
  throw new Error("clang-tidy is not installed: tools/bootstrap.sh test");
}

/** The files that each object was compiled from, as `ninja -t deps` prints them: a line "object: …", then a line each. */
function readInputs(): Map<string, string[]> {
  const inputs = new Map<string, string[]>();
  const text = execFileSync("ninja", ["-C", buildDir, "-t", "deps"], {
    encoding: "utf8",
    maxBuffer: 256 << 20,
  });
  let current: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("    ")) {
      current.push(resolve(buildDir, line.trim()));
    } else if (line.includes(": #deps")) {
      current = [];
      inputs.set(line.slice(0, line.indexOf(": #deps")), current);
    }
  }
  return inputs;
}

const fileHashes = new Map<string, string>();
function hashOfFile(path: string): string {
  let hash = fileHashes.get(path);
  if (hash === undefined) {
    hash = existsSync(path)
      ? createHash("sha256").update(readFileSync(path)).digest("hex")
      : "gone";
    fileHashes.set(path, hash);
  }
  return hash;
}

function keyOf(command: CompileCommand, inputs: string[], version: string): string {
  const key = createHash("sha256").update(version).update(command.command);
  key.update(hashOfFile(resolve(root, ".clang-tidy")));
  for (const path of inputs) key.update(path).update(hashOfFile(path));
  return key.digest("hex");
}

function check(clangTidy: string, file: string): Promise<{ passed: boolean; output: string }> {
  return new Promise((done) => {
    const child = spawn(clangTidy, ["--quiet", "-p", buildDir, file], { cwd: root });
    let output = "";
    child.stdout.on("data", (part: Buffer) => {
      output += part;
    });
    // "N warnings generated" and the like; errors of clang itself come on stdout.
    child.stderr.resume();
    child.on("close", (code) => done({ passed: code === 0, output }));
  });
}

const clangTidy = findClangTidy();
const version = execFileSync(clangTidy, ["--version"], { encoding: "utf8" });
const inputs = readInputs();
const commands = JSON.parse(
  readFileSync(resolve(buildDir, "compile_commands.json"), "utf8"),
) as CompileCommand[];
const pending: { file: string; stamp: string; key: string }[] = [];
for (const command of commands) {
  const file = relative(root, command.file);
  if (!/^core\//.test(file)) continue;
  const stamp = resolve(cacheDir, file.replaceAll("/", "."));
  const key = keyOf(command, inputs.get(command.output) ?? [command.file], version);
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== key) pending.push({ file, stamp, key });
}

mkdirSync(cacheDir, { recursive: true });
let failures = 0;
async function work(): Promise<void> {
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { passed, output } = await check(clangTidy, next.file);
    if (passed) {
      writeFileSync(next.stamp, next.key);
    } else {
      failures += 1;
      console.log(output);
    }
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
process.exitCode = failures === 0 ? 0 : 1;
