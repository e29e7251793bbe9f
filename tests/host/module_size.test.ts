import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const kMaxGzippedBytes = 200_000;

for (const build of ["wasi", "emscripten"]) {
  test(`module: that of ${build} has at most ${kMaxGzippedBytes} bytes gzipped`, (context) => {
    const file = resolve(import.meta.dirname, `../../build/${build}/sync_manager.wasm`);
    const { length } = gzipSync(readFileSync(file), { level: 9 });
    context.diagnostic(`${length} bytes`);
    assert.ok(length <= kMaxGzippedBytes, `${length} bytes`);
  });
}
