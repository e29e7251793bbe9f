// Parse + canonical form + SHA-256, JavaScript against WebAssembly, inside one workerd.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { requestJson } from "./client.ts";
import { importBody } from "./generate.ts";
import { startCanonical, stop } from "./servers.ts";
import { type Summary, summary } from "./statistics.ts";

/** Rounds of a request whose first ones are not counted: V8 has to tier up both sides. */
const kRounds = 5;
const kWarmUpRounds = 2;

export interface CanonicalResult {
  readonly items: number;
  readonly bodyBytes: number;
  readonly javascript: Summary;
  readonly wasm: Summary;
}

/** The WASI build of canonical_module.cc, the optimised one where there are two. */
export function findCanonicalModule(root: string): string | undefined {
  const build = join(root, "build/wasi");
  if (!existsSync(build)) return undefined;
  const found = readdirSync(build, { recursive: true, encoding: "utf8" })
    .filter((path) => /canonical_module[^/]*\.wasm$/.test(path))
    .sort((a, b) => Number(a.includes("unoptimised")) - Number(b.includes("unoptimised")));
  return found[0] === undefined ? undefined : join(build, found[0]);
}

export async function measureCanonical(
  root: string,
  folder: string,
  module: string,
  items: number,
  repeats: number,
): Promise<CanonicalResult> {
  const server = await startCanonical(root, folder, module);
  try {
    const body = importBody(0, items, "new");
    const times: Record<"js" | "wasm", number[]> = { js: [], wasm: [] };
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const kind of repeat % 2 === 0 ? (["js", "wasm"] as const) : (["wasm", "js"] as const)) {
        const path = `/${kind}?rounds=${kRounds}`;
        const { value } = await requestJson<{ items: number; ms: number[] }>(
          200,
          server.url,
          "POST",
          path,
          body,
        );
        if (value.items !== items) throw new Error(`${kind}: ${value.items} items of ${items}`);
        times[kind].push(...value.ms.slice(kWarmUpRounds));
      }
    }
    return {
      items,
      bodyBytes: body.length,
      javascript: summary(times.js),
      wasm: summary(times.wasm),
    };
  } finally {
    await stop(server);
  }
}
