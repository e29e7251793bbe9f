// Runs clang-tidy on the core, and remembers what passed: a file is checked again only when something that it was
// compiled from, its compile command, .clang-tidy or clang-tidy itself has changed in content. Neither times of files
// nor the place of the tree count, so what passed in one clone has passed in the next: the record is an empty file for
// each, under $XDG_CACHE_HOME. The native build must be up to date, since ninja's record of included files is where the
// inputs come from.

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { join, relative, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const buildDir = resolve(root, "build/native");
const tidyDir = resolve(root, "build/tidy");
const cacheHome = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
const cacheDir = resolve(cacheHome, "sync-manager/clang-tidy");
/** What nobody has asked for in so long is forgotten. */
const keptMs = 30 * 24 * 60 * 60 * 1000;

interface CompileCommand {
  readonly directory: string;
  readonly file: string;
  readonly command: string;
}

/** Where it writes the object, below the build folder; the sanitized core's are told from others' by it. */
function objectOf({ command }: CompileCommand): string {
  return / -o (\S+)/.exec(command)?.[1] ?? "";
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

/** The root's own path is left out of it. */
function keyOf(command: CompileCommand, inputs: readonly string[], version: string): string {
  const key = createHash("sha256").update(version);
  // Nor is what launches the compiler part of it (ccache).
  key.update(command.command.replaceAll(root, ".").replace(/^\S*ccache /, ""));
  key.update(hashOfFile(resolve(root, ".clang-tidy")));
  for (const path of [...inputs].sort()) {
    key.update(
      `\n${path.startsWith(`${root}/`) ? relative(root, path) : path} ${hashOfFile(path)}`,
    );
  }
  return key.digest("hex");
}

/** Whether a file of this key has passed before; it is kept for longer then. */
function hasPassed(key: string): boolean {
  const stamp = join(cacheDir, key);
  if (!existsSync(stamp)) return false;
  const now = new Date();
  utimesSync(stamp, now, now);
  return true;
}

function forgetOld(): void {
  for (const name of readdirSync(cacheDir)) {
    const stamp = join(cacheDir, name);
    if (Date.now() - statSync(stamp).mtimeMs > keptMs) rmSync(stamp, { force: true });
  }
}

function check(clangTidy: string, file: string): Promise<{ passed: boolean; output: string }> {
  return new Promise((done) => {
    const child = spawn(clangTidy, ["--quiet", "-p", tidyDir, file], { cwd: root });
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
mkdirSync(cacheDir, { recursive: true });
mkdirSync(tidyDir, { recursive: true });
forgetOld();
// The core is compiled more than once. clang-tidy would look at a file once for each of its commands, so it is given
// a list of its own, with one.
const files = commands.filter(
  (command) =>
    relative(root, command.file).startsWith("core/") && objectOf(command).includes("sm_core.dir/"),
);
writeFileSync(join(tidyDir, "compile_commands.json"), JSON.stringify(files));
const pending: { readonly file: string; readonly key: string }[] = [];
for (const command of files) {
  const compiledFrom = inputs.get(objectOf(command));
  if (compiledFrom === undefined)
    throw new Error(`${command.file} has not been built: make build-native`);
  const key = keyOf(command, compiledFrom, version);
  if (!hasPassed(key)) pending.push({ file: relative(root, command.file), key });
}
console.log(`${pending.length} of ${files.length} files are checked`);

let failures = 0;
async function work(): Promise<void> {
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { passed, output } = await check(clangTidy, next.file);
    if (passed) {
      writeFileSync(join(cacheDir, next.key), "");
    } else {
      failures += 1;
      console.log(output);
    }
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
process.exitCode = failures === 0 ? 0 : 1;
