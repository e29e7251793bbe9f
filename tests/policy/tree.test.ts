// The rules of the code that a program can check.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { test } from "node:test";

const root = resolve(import.meta.dirname, "../..");
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter(Boolean);
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const ours = (pattern: RegExp, ...folders: string[]): string[] =>
  files.filter((file) => pattern.test(file) && folders.some((folder) => file.startsWith(folder)));

/** Each layer may include itself and those before it; what stands together is independent, but for what is listed. */
const kLayers = [["base"], ["json"], ["http", "store", "sync"], ["flow"], ["api"], ["."]];
const kSideways: Readonly<Record<string, readonly string[]>> = {
  // A configuration's address is checked by the rules of URLs.
  sync: ["http"],
};

test("style: dependencies of the core point one way", () => {
  const level = new Map(kLayers.flatMap((names, at) => names.map((name) => [name, at] as const)));
  let seen = 0;
  for (const file of ours(/\.(h|cc)$/, "core/")) {
    const from = dirname(file).slice("core/".length) || ".";
    for (const [, included] of read(file).matchAll(/#include "(?:core\/)?([^"]+)"/g)) {
      const to = dirname(included ?? "");
      if (to === from) continue;
      seen++;
      const [fromLevel, toLevel] = [level.get(from), level.get(to)];
      assert.ok(fromLevel !== undefined && toLevel !== undefined, `${file} includes ${included}`);
      const sideways = fromLevel === toLevel && (kSideways[from] ?? []).includes(to);
      assert.ok(toLevel < fromLevel || sideways, `${file} includes ${included}`);
    }
  }
  assert.ok(seen > 100, `${seen} includes`);
});

test("style: the module includes nothing of the core but its machine", () => {
  for (const [, included] of read("wasm/abi.cc").matchAll(/#include "core\/([^"]+)"/g)) {
    assert.ok(["machine.h", "base/check.h"].includes(included ?? ""), included);
  }
});

test("style: the host knows no SQL and no status of HTTP", () => {
  for (const file of ours(/\.ts$/, "host/")) {
    const code = read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    assert.doesNotMatch(code, /\b(SELECT|INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b/, file);
    assert.doesNotMatch(code, /\bstatus\b\W{1,6}[1-5]\d\d\b/, file);
  }
});

test("style: SQL stands in schema/ alone", () => {
  for (const file of ours(/\.(h|cc)$/, "core/", "wasm/")) {
    assert.doesNotMatch(read(file), /"(SELECT|INSERT|DELETE|UPDATE) /, file);
  }
});

test("style: lines have at most 120 columns and files at most 500 lines", () => {
  for (const file of ours(/\.(h|cc|ts)$/, "core/", "wasm/", "host/")) {
    const lines = read(file).split("\n");
    assert.ok(lines.length <= 500, `${file} has ${lines.length} lines`);
    // URLs and the rows of tables are not broken.
    const wide = lines.findIndex(
      (line) => [...line].length > 120 && !/https?:\/\/|^\s*[{"']/.test(line),
    );
    assert.equal(wide, -1, `${file}:${wide + 1} is wider than 120 columns`);
  }
});

test("style: files are named in snake_case", () => {
  for (const file of ours(/\.(h|cc|ts|mjs|sql)$/, "core/", "wasm/", "host/", "schema/", "tests/")) {
    assert.match(basename(file), /^[a-z0-9_]+(\.test|\.d)?\.\w+$/, file);
  }
});

test("style: every header opens with a comment", () => {
  for (const file of ours(/\.h$/, "core/")) assert.match(read(file), /^\/\/ /, file);
});

test("style: no work is left for later, and no exception is thrown", () => {
  for (const file of ours(/\.(h|cc|ts|sql)$/, "core/", "wasm/", "host/", "schema/")) {
    assert.doesNotMatch(
      read(file),
      new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME"].join("|")})\\b`),
      file,
    );
  }
  for (const file of ours(/\.(h|cc)$/, "core/", "wasm/")) {
    assert.doesNotMatch(read(file), /\b(throw|try \{|catch \()/, file);
  }
});

test("packages: one version of the product, and a lock file without addresses", () => {
  const version = (JSON.parse(read("package.json")) as { version: string }).version;
  assert.match(read("CMakeLists.txt"), new RegExp(`VERSION ${version.replaceAll(".", "\\.")}\\b`));
  assert.doesNotMatch(read("package-lock.json"), /"resolved"/);
});
