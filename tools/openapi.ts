// Writes schema/openapi.json: the API document as the built module serves it, indented, so that a change of the API is
// seen as a change of a file. `make openapi` builds the module before; a contract test compares the two.

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Instance } from "../host/shared/core/instance.ts";
import { Pool } from "../host/shared/core/pool.ts";
import { drive } from "../host/shared/drive.ts";

const root = resolve(import.meta.dirname, "..");
const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
const module = new Module(readFileSync(join(root, "build/wasi/sync_manager.wasm")));
const first = new Instance(module);

/** The document asks nothing of a store. */
async function nothing(): Promise<never> {
  throw new Error("the document needs no store");
}

const { response, finished } = drive(
  {
    answers: first.storedAnswers(),
    pool: new Pool(module, first),
    store: { kind: "none", query: nothing, batch: nothing },
    sealing: false,
    sealer: async () => undefined,
    varsJson: "{}",
    asset: async () => undefined,
  },
  new Request("http://host/openapi.json") as unknown as Parameters<typeof drive>[1],
);
const document = JSON.parse(await (await response).text()) as unknown;
await finished;
writeFileSync(join(root, "schema/openapi.json"), `${JSON.stringify(document, null, 2)}\n`);
