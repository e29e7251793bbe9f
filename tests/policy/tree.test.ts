// The rules of the code that a program can check.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { STATUS_CODES } from "node:http";
import { basename, dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { readSource } from "./source_text.ts";

const root = resolve(import.meta.dirname, "../..");
const folders = ["core", "wasm", "host", "schema", "tests", "tools"];
const files = [
  ...readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name),
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)),
  ),
];

const texts = new Map<string, string>();
function read(file: string): string {
  const text = texts.get(file) ?? readFileSync(join(root, file), "utf8");
  texts.set(file, text);
  return text;
}

/** The files of these folders, and that there are some: a rule over no file would pass always. */
function ours(pattern: RegExp, ...within: string[]): string[] {
  const found = files.filter(
    (file) => pattern.test(file) && within.some((folder) => file.startsWith(folder)),
  );
  assert.notEqual(found.length, 0, `no file like ${pattern} in ${within}`);
  return found;
}

/** npm writes and names it. */
const isLock = (file: string) => basename(file) === "package-lock.json";
const source = (file: string) => readSource(read(file), /\.(h|cc)$/.test(file) ? "cpp" : "ts");

test("licences: all that is compiled in or served is named in THIRD_PARTY_NOTICES", () => {
  const notices = read("THIRD_PARTY_NOTICES");
  const outside = new Set<string>();
  for (const file of ours(/\.(h|cc)$/, "core/", "wasm/"))
    for (const [, name] of read(file).matchAll(/^#include <([a-z_]+)\//gm)) outside.add(name ?? "");
  const served = /^SWAGGER_UI := .*node_modules\/([a-z-]+)\//m.exec(read("Makefile"));
  outside.add(served?.[1] ?? "");
  const compiled = ["libc++", "wasi-libc", "compiler-rt", "Emscripten"];
  for (const name of [...outside, ...compiled]) assert.ok(notices.includes(name), name);
  // The Worker's bundle holds our own files alone.
  for (const file of ours(/\.ts$/, "host/worker/", "host/shared/"))
    for (const [, name] of read(file).matchAll(/^(?:import|export) .*from "([^"]+)";/gm))
      assert.match(name ?? "", /^(\.\.?\/|core$)/, file);
});

/** Each layer may include itself and those before it; what stands together is independent, but for what is listed. */
const kLayers = [
  ["base"],
  ["json"],
  ["http", "store", "sync"],
  ["flow"],
  ["api"],
  [".", "openapi"],
];
const kSideways = new Set([
  // The addresses in a configuration follow the rules of the requests that will go there.
  "core/sync/config.cc includes http/public_url.h",
]);

test("style: dependencies of the core point one way", () => {
  const level = new Map(kLayers.flatMap((names, at) => names.map((name) => [name, at] as const)));
  const sideways = new Set<string>();
  let seen = 0;
  for (const file of ours(/\.(h|cc)$/, "core/")) {
    const from = dirname(file).slice("core/".length) || ".";
    for (const [, included = ""] of read(file).matchAll(/^#include "(?:core\/)?([^"]+)"/gm)) {
      const to = dirname(included);
      if (to === from) continue;
      seen++;
      const what = `${file} includes ${included}`;
      const [fromLevel, toLevel] = [level.get(from), level.get(to)];
      assert.ok(fromLevel !== undefined && toLevel !== undefined, what);
      if (kSideways.has(what)) sideways.add(what);
      else assert.ok(toLevel < fromLevel, what);
    }
  }
  assert.ok(seen > 100, `${seen} includes`);
  assert.deepEqual(sideways, kSideways, "each exception is needed");
});

test("style: what is asked of the store is asked by a flow", () => {
  for (const file of ours(/\.(h|cc)$/, "core/api/", "core/sync/")) {
    assert.doesNotMatch(source(file).code, /\b(query|query_all|batch|perform)\(in\b/, file);
  }
});

test("style: the core includes nothing that does I/O, tells the time or draws random numbers", () => {
  const pure =
    /^(c(def|ass|ctype|float|inttypes|limits|math|stdarg|stddef|stdint|stdio|stdlib|string)|algorithm|array|bit|charconv|concepts|coroutine|deque|functional|initializer_list|iterator|limits|list|map|memory|new|numeric|optional|set|span|string|string_view|tuple|type_traits|unordered_map|unordered_set|utility|variant|vector|emmintrin\.h|smmintrin\.h|tmmintrin\.h|wasm_simd128\.h|nlohmann\/json\.hpp)$/;
  for (const file of ours(/\.(h|cc)$/, "core/", "wasm/")) {
    for (const [, included = ""] of read(file).matchAll(/^#include <([^>]+)>/gm)) {
      assert.match(included, pure, file);
    }
    // <cstdio> is there for snprintf.
    assert.doesNotMatch(source(file).code, /\b(fopen|fwrite|fputs|printf|puts|getenv)\(/, file);
  }
});

test("style: the module writes JSON by core/json alone, and nlohmann reads the heads of frames", () => {
  const reader = "core/frame.cc";
  for (const file of ours(/\.(h|cc)$/, "core/", "wasm/")) {
    if (file === reader) assert.doesNotMatch(read(file), /\.dump\(/, file);
    else if (!file.startsWith("core/openapi/")) assert.doesNotMatch(read(file), /nlohmann/, file);
  }
});

test("style: the module includes nothing of the core but its machine", () => {
  for (const file of ours(/\.(h|cc)$/, "wasm/")) {
    for (const [, included = ""] of read(file).matchAll(/^#include "core\/([^"]+)"/gm)) {
      assert.ok(["machine.h", "base/check.h"].includes(included), `${file} includes ${included}`);
    }
  }
});

// Which rooms of the host a room may enter beside itself, and which modules from outside it may import.
const kRooms: Readonly<Record<string, { rooms: readonly string[]; modules: RegExp }>> = {
  "host/shared/": { rooms: [], modules: /^$/ },
  "host/worker/": { rooms: ["host/shared/"], modules: /^core$/ },
  "host/dev/": { rooms: [], modules: /^node:/ },
};

test("style: what hosts share needs no one of them, and what needs Node stands apart from the Worker", () => {
  for (const file of ours(/\.ts$/, "host/")) {
    const [home, room] = Object.entries(kRooms).find(([folder]) => file.startsWith(folder)) ?? [];
    assert.ok(home !== undefined && room !== undefined, `${file} stands in no room`);
    for (const [, imported = ""] of read(file).matchAll(/(?:from|import) "([^"]+)"/g)) {
      const path = imported.startsWith(".") ? join(dirname(file), imported) : undefined;
      const allowed =
        path === undefined
          ? room.modules.test(imported)
          : [home, ...room.rooms].some((folder) => path.startsWith(folder));
      assert.ok(allowed, `${file} imports ${imported}`);
    }
  }
});

test("style: the host knows no SQL", () => {
  for (const file of ours(/\.ts$/, "host/")) {
    for (const text of source(file).strings) {
      assert.doesNotMatch(text, /\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|PRAGMA)\b/, file);
      assert.doesNotMatch(
        text,
        /^\s*(select .* from|insert (or \w+ )?into|update \w+ set|delete from|create table)\b/is,
        file,
      );
    }
  }
});

// 100 to 199 never end a request; the numbers there are sizes and times.
const kStatuses = new Set(Object.keys(STATUS_CODES).filter((status) => Number(status) >= 200));

function statusesIn(text: string): string[] {
  const { code, strings } = readSource(text, "ts");
  const numbers = [...code.matchAll(/(?<![\w$.])\d[\w.]*/g)].map(([number]) =>
    String(Number(number.replaceAll("_", ""))),
  );
  return [...numbers, ...strings].filter((value) => kStatuses.has(value));
}

test("style: the host knows no status of HTTP, in no form of writing it", () => {
  for (const file of ours(/\.(ts|js)$/, "host/")) {
    assert.deepEqual(statusesIn(read(file)), [], file);
  }
  const all = 'f(404); g({ status: 5e2 }); if (s >= 0x190) h["503"] = 2_0_4; // 500\ni(1500, 256)';
  assert.deepEqual(statusesIn(all), ["404", "500", "400", "204", "503"]);
});

test("style: SQL stands in schema/ alone", () => {
  for (const file of ours(/\.(h|cc)$/, "core/", "wasm/")) {
    for (const text of source(file).strings) {
      assert.doesNotMatch(text, /\b(SELECT|INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b/, file);
    }
  }
});

const kWidest = 120;
const kLongestFile = 500;

test(`style: lines have at most ${kWidest} columns, files at most ${kLongestFile} lines`, () => {
  for (const file of ours(/\.(h|cc|ts|js)$/, "core/", "wasm/", "host/")) {
    const lines = read(file).replace(/\n$/, "").split("\n");
    assert.ok(lines.length <= kLongestFile, `${file} has ${lines.length} lines`);
    const wide = lines.findIndex((line) => [...line].length > kWidest);
    assert.equal(wide, -1, `${file}:${wide + 1}`);
  }
});

/** What breaks the rule now. But for a writer of JSON, which has booleans, the list may only get shorter. */
const kBoolParameters = [
  "core/json/nodes.h: is_object",
  "core/json/nodes.h: roomy",
  "core/json/validator.h: is_object",
  "core/json/writer.h: value",
];

test("style: no header of the core has a parameter that is a bool, but for those known", () => {
  const found = ours(/\.h$/, "core/").flatMap((file) =>
    [
      ...source(file).code.matchAll(
        /(?<!<[^<>()]*)[(,]\s*(?:const\s+)?bool\b\s*&?\s*(\w*)\s*(?:=[^,)]*)?(?=[,)])/g,
      ),
    ].map(([, name]) => `${file}: ${name}`),
  );
  assert.deepEqual(found.sort(), kBoolParameters);
});

test("style: files are named in snake_case", () => {
  const named = /\.(h|cc|ts|mjs|js|sql|sh|html|json|toml|cmake)$/;
  for (const file of ours(named, ...folders.map((folder) => `${folder}/`))) {
    if (file.startsWith("tests/fuzz/corpus/") || isLock(file)) continue;
    assert.match(basename(file), /^[a-z0-9_]+(\.test|\.d)?\.\w+$/, file);
  }
});

test("style: every header says what it is for before its first declaration", () => {
  for (const file of ours(/\.h$/, "core/", "wasm/", "tests/")) {
    const [comment = ""] = /^(?:\/\/[^\n]*\n)+/.exec(read(file)) ?? [];
    assert.ok(comment.split(/\s+/).length > 5, `${file} opens with: ${comment}`);
  }
});

test("style: no work is left for later", () => {
  const later = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);
  for (const file of files) {
    if (file.startsWith("tests/fuzz/corpus/") || isLock(file)) continue;
    assert.doesNotMatch(read(file), later, file);
  }
});

test("style: no exception is thrown in the core", () => {
  for (const file of ours(/\.(h|cc)$/, "core/", "wasm/")) {
    assert.doesNotMatch(source(file).code, /\bthrow\b|\btry\s*\{|\bcatch\s*\(/, file);
  }
});

test("packages: one version of the product, and lock files without addresses", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const [, built] = /\bproject\([^)]*\bVERSION\s+([\d.]+)/.exec(read("CMakeLists.txt")) ?? [];
  assert.equal(built, version);
  const lock = JSON.parse(read("package-lock.json")) as {
    version: string;
    packages: Record<string, { version: string }>;
  };
  assert.equal(lock.version, version);
  assert.equal(lock.packages[""]?.version, version);
  for (const file of files.filter(isLock)) assert.doesNotMatch(read(file), /"resolved"/, file);
});
