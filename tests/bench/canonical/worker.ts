// Parse, canonical form and SHA-256 of every item of a body, in JavaScript and in WebAssembly, in
// the same isolate. Both start each round from the body's bytes: JavaScript decodes and parses
// them, WebAssembly gets a copy into its memory. The harness puts the WASI build of
// canonical_module.cc in the place of `module.wasm`.
import { canonical, sha256Hex } from "../baseline/canonical.ts";
import module from "./module.wasm";

/** WebAssembly pages grow in any call, so views are made anew after each. */
interface Exports extends WebAssembly.Exports {
  readonly memory: WebAssembly.Memory;
  readonly _initialize: () => void;
  readonly sm_bench_alloc: (bytes: number) => number;
  readonly sm_bench_run: (pointer: number, bytes: number) => number;
}

let core: Exports | undefined;

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const rounds = Number(searchParams.get("rounds") ?? 1);
    const bytes = new Uint8Array(await request.arrayBuffer());
    const run = pathname === "/wasm" ? runWasm(bytes) : () => runJavaScript(bytes);
    const ms: number[] = [];
    let items = 0;
    for (let round = 0; round < rounds; round++) {
      // The clock runs on in local workerd, other than in production.
      const started = performance.now();
      items = run();
      ms.push(performance.now() - started);
    }
    return Response.json({ items, ms });
  },
};

const kDecoder = new TextDecoder();

function runJavaScript(bytes: Uint8Array): number {
  const body = JSON.parse(kDecoder.decode(bytes)) as { data: unknown[] };
  let hashed = 0;
  for (const item of body.data) hashed += sha256Hex(canonical(item)).length === 64 ? 1 : 0;
  return hashed;
}

/** The place for the body is taken once: it would be in memory anyway while it arrives. */
function runWasm(bytes: Uint8Array): () => number {
  core ??= instantiate();
  const { memory, sm_bench_alloc, sm_bench_run } = core;
  const pointer = sm_bench_alloc(bytes.length);
  return () => {
    new Uint8Array(memory.buffer, pointer, bytes.length).set(bytes);
    return sm_bench_run(pointer, bytes.length);
  };
}

function instantiate(): Exports {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: group, name } of WebAssembly.Module.imports(module)) {
    imports[group] = { ...imports[group], [name]: () => 0 };
  }
  const exports = new WebAssembly.Instance(module, imports).exports as Exports;
  exports._initialize();
  return exports;
}
