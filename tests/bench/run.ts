// Measures the product beside its baselines: `make bench` does all of it and writes results.json,
// results.md and growth.svg.
//   node tests/bench/run.ts [--sizes=1000,10000] [--flows=sync_new,import_unchanged] [--rounds=5]
//                           [--only=wasm,canonical,flows,single,memory] [--write]
// A run with any of these prints its tables and writes files only with --write. Builds come first:
// make build-release build-wasi.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Bodies } from "./bodies.ts";
import { findCanonicalModule, measureCanonical } from "./canonical.ts";
import { createApi } from "./client.ts";
import { measureFloor } from "./floor.ts";
import { measureFlows } from "./flows.ts";
import { measureMemory } from "./memory.ts";
import { plot } from "./plot.ts";
import { type Results, report, type SizeMemory, type SizeResults } from "./report.ts";
import { look, memoryOf, startBaseline, startProduct, stop, stopServers } from "./servers.ts";
import { measureSingle, type SingleResults } from "./single.ts";
import { kSteps } from "./steps.ts";
import { measureWasm } from "./wasm.ts";

const root = resolve(import.meta.dirname, "../..");
const kParts = ["wasm", "canonical", "flows", "single", "memory"] as const;
type Part = (typeof kParts)[number];

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string" },
    flows: { type: "string" },
    rounds: { type: "string" },
    only: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const isWhole = !options.sizes && !options.flows && !options.rounds && !options.only;
const sizes = (options.sizes ?? "1000,10000,100000,1000000").split(",").map(Number);
const flows = new Set(choose("flows", options.flows, kSteps));
// Who asks for sizes or flows wants these, and soon.
const parts = new Set<Part>(
  options.only === undefined && (options.sizes || options.flows)
    ? ["flows"]
    : choose("only", options.only, kParts),
);

const folder = mkdtempSync(join(tmpdir(), "sync-manager-bench-"));
try {
  const measured = await measure();
  const results = isWhole || !options.write ? measured : mergedWithKept(measured);
  const text = report(results);
  if (isWhole || options.write) {
    const write = (name: string, content: string) =>
      writeFileSync(join(import.meta.dirname, name), content);
    write("results.json", `${JSON.stringify(results, null, 1)}\n`);
    write("results.md", text);
    write("growth.svg", plot(results));
  }
  console.log(text);
  const failed = Object.values(results.sizes).some(({ failures }) => "product" in failures);
  process.exitCode = failed ? 1 : 0;
} finally {
  await stopServers();
  rmSync(folder, { recursive: true, force: true });
}

function choose<T extends string>(name: string, asked: string | undefined, all: readonly T[]): T[] {
  const chosen = asked?.split(",") ?? all;
  const unknown = chosen.find((each) => !all.includes(each as T));
  if (unknown !== undefined) throw new Error(`--${name}: ${unknown} is none of ${all.join(", ")}`);
  return chosen as T[];
}

/** A partial run replaces what it has measured of the results that are kept. */
function mergedWithKept(measured: Results): Results {
  const kept = JSON.parse(
    readFileSync(join(import.meta.dirname, "results.json"), "utf8"),
  ) as Results;
  return { ...kept, ...measured, sizes: { ...kept.sizes, ...measured.sizes } };
}

async function measure(): Promise<Results> {
  const results: Results = { machine: describeMachine(), sizes: {} };
  if (parts.has("wasm")) results.wasm = measureWasm(root);
  if (parts.has("canonical")) {
    const module = findCanonicalModule(root);
    if (module === undefined) throw new Error("build/wasi has no canonical_module: make bench");
    results.canonical = await measureCanonical(root, folder, module, 10_000, 5);
  }
  if (parts.has("flows")) {
    for (const size of sizes) results.sizes[size] = await measureSize(size);
  }
  if (parts.has("single")) results.single = await measureRequests();
  if (parts.has("memory")) results.memory = await measureMemory(root, folder);
  return results;
}

/** Fresh servers for each size, so that their memory is that of this size. */
async function measureSize(size: number): Promise<SizeResults> {
  // The first round of a process runs code that V8 has not optimised yet; at large sizes that is
  // lost in the rest.
  const warmUpRounds = size <= 10_000 ? 2 : 0;
  const rounds = Number(options.rounds ?? (size <= 10_000 ? 7 : size <= 100_000 ? 3 : 1));
  console.error(`${size} properties, ${rounds} rounds …`);
  const bodies = new Bodies(folder, size);
  const servers = [await startProduct(root, folder), await startBaseline(root, folder)];
  const apis = [];
  for (const server of servers) apis.push(await createApi(server.name, server.url));
  const measured = await measureFlows(apis, bodies, flows, rounds, warmUpRounds);
  const memory: Record<string, SizeMemory> = {};
  for (const server of servers) {
    const seen = await look(server).catch(() => null);
    memory[server.name] = {
      process: memoryOf(server),
      wasmBytes: seen?.wasmPeakBytes ?? 0,
      largestBytes: seen?.largestBytes ?? 0,
    };
    await stop(server);
  }
  const floor = measureFloor(root, bodies, flows, rounds);
  bodies.drop();
  return { ...measured, floor, memory };
}

async function measureRequests(): Promise<SingleResults> {
  const product = await startProduct(root, folder);
  const baseline = await startBaseline(root, folder);
  const apis = [await createApi("product", product.url), await createApi("baseline", baseline.url)];
  const measured = await measureSingle(apis, baseline.url, 1000);
  await stop(product);
  await stop(baseline);
  return measured;
}

function describeMachine(): Results["machine"] {
  const versionOf = (name: string) => {
    const file = join(root, "node_modules", name, "package.json");
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  };
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root });
  return {
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    miniflare: versionOf("miniflare"),
    workerd: versionOf("workerd"),
    commit: commit.toString("utf8").trim(),
  };
}
