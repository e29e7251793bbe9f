// Measures the product beside its baselines and writes results.json and results.md: `make bench`, or
//   node tests/bench/run.ts [--sizes 1000,10000] [--rounds 5] [--quick] [--only flows,single,canonical,memory,wasm]
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { findCanonicalModule, measureCanonical } from "./canonical.ts";
import { createApi } from "./client.ts";
import { measureFlows } from "./flows.ts";
import { importBody } from "./generate.ts";
import { measureMemory } from "./memory.ts";
import { freeze, killServers, startBaseline, startProduct, stop } from "./processes.ts";
import { type Results, report } from "./report.ts";
import { measureSingle } from "./single.ts";
import { summary } from "./statistics.ts";
import { measureWasm } from "./wasm.ts";

const root = resolve(import.meta.dirname, "../..");
const kParts = ["wasm", "canonical", "flows", "single", "memory"] as const;

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000" },
    rounds: { type: "string", default: "5" },
    quick: { type: "boolean", default: false },
    only: { type: "string", default: kParts.join(",") },
  },
});
const sizes = options.quick ? [1000] : options.sizes.split(",").map(Number);
const rounds = options.quick ? 2 : Number(options.rounds);
const parts = new Set(options.only.split(","));

const folder = mkdtempSync(join(tmpdir(), "sync-manager-bench-"));
try {
  const results = await measure();
  writeFileSync(join(import.meta.dirname, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  const text = report(results);
  writeFileSync(join(import.meta.dirname, "results.md"), text);
  console.log(text);
} finally {
  killServers();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<Results> {
  const frozen = freeze(root, folder);
  const results: Results = { machine: describeMachine(), flows: {}, floor: {} };
  if (parts.has("wasm")) results.wasm = measureWasm(root);
  if (parts.has("canonical")) {
    const module = findCanonicalModule(root);
    if (module === undefined) throw new Error("build/wasi has no canonical_module: make bench");
    results.canonical = await measureCanonical(frozen, folder, module, 10_000, rounds);
  }
  if (!parts.has("flows") && !parts.has("single") && !parts.has("memory")) return results;
  const product = await startProduct(frozen, folder);
  const baseline = await startBaseline(frozen, folder);
  const apis = [await createApi("product", product.url), await createApi("baseline", baseline.url)];
  if (parts.has("flows")) {
    for (const size of sizes) {
      console.error(`flows of ${size} …`);
      results.flows[size] = await measureFlows(apis, size, rounds);
      results.floor[size] = measureFloor(size);
    }
  }
  if (parts.has("single")) {
    results.single = await measureSingle(apis, baseline.url, options.quick ? 100 : 1000);
  }
  await stop(baseline);
  if (parts.has("memory")) results.memory = (await measureMemory(product)) ?? undefined;
  await stop(product);
  return results;
}

/** The native program's medians by step; the same bodies from files. */
function measureFloor(size: number): Record<string, number> {
  // The last body differs from the one before in every property, also in those that changed there.
  const bodies = [
    ["new", 0],
    ["changed_1_percent", 1],
    ["all_changed", 2],
  ] as const;
  const files = bodies.map(([variant, revision]) => {
    const file = join(folder, `${variant}.json`);
    writeFileSync(file, importBody(0, size, variant, revision));
    return file;
  });
  const program = join(root, "build/release/tests/bench/floor");
  const printed = execFileSync(program, [...files, String(rounds)], { encoding: "utf8" });
  const { steps } = JSON.parse(printed) as { steps: Record<string, number[]> };
  return Object.fromEntries(Object.entries(steps).map(([step, ms]) => [step, summary(ms).median]));
}

function describeMachine(): Results["machine"] {
  const packageOf = (name: string) =>
    (
      JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")) as {
        version: string;
      }
    ).version;
  return {
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    wrangler: packageOf("wrangler"),
    workerd: packageOf("workerd"),
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      cwd: root,
      encoding: "utf8",
    }).trim(),
  };
}
