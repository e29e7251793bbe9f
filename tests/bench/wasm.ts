// Size of the core's modules, and how long it takes until an instance can serve.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { median } from "./statistics.ts";

const kInstances = 50;
// In a Worker modules are imported; that they can be compiled is something that only Node's types
// would know.
const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;

export interface WasmResult {
  readonly build: string;
  readonly bytes: number;
  readonly gzippedBytes: number;
  /** Median time of instantiation and `_initialize`, of a compiled module, as a Worker has it. */
  readonly instanceMs: number;
}

export function measureWasm(root: string): WasmResult[] {
  return ["wasi", "emscripten"].flatMap((build) => {
    const path = join(root, "build", build, "sync_manager.wasm");
    if (!existsSync(path)) return [];
    const bytes = readFileSync(path);
    const module = new Module(bytes);
    const times: number[] = [];
    for (let i = 0; i < kInstances; i++) {
      const started = performance.now();
      instantiate(module);
      times.push(performance.now() - started);
    }
    return [
      {
        build,
        bytes: bytes.length,
        gzippedBytes: gzipSync(bytes, { level: 9 }).length,
        instanceMs: median(times),
      },
    ];
  });
}

function instantiate(module: WebAssembly.Module): void {
  const imports: WebAssembly.Imports = {};
  for (const { module: group, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function") throw new Error(`${group}.${name} is no function`);
    imports[group] = { ...imports[group], [name]: () => 0 };
  }
  const { exports } = new WebAssembly.Instance(module, imports);
  (exports["_initialize"] as () => void)();
  const version = (exports["sm_abi"] as () => number)();
  if (version < 1) throw new Error("no ABI");
}
