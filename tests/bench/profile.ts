// Where the time of a step goes: `node tests/bench/profile.ts import_unchanged 10000 [rounds]`
// prints, for the isolate of the Worker and for that of D1, the functions that took most of the
// time themselves. Functions of the core have names only in a module that was not stripped:
// WASM_FILE names one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Bodies } from "./bodies.ts";
import { createApi } from "./client.ts";
import { measureFlows } from "./flows.ts";
import { connect } from "./inspector.ts";
import { startProduct, stop } from "./servers.ts";
import { kSteps, type Step } from "./steps.ts";

const kIsolates = ["core:user:product", "d1:db"] as const;
const kWarmUpRounds = 2;
const kIntervalUs = 100;
const kShown = 25;

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { functionName: string; url: string; lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [step = "import_unchanged", size = "10000", rounds = "5"] = process.argv.slice(2);
if (!kSteps.includes(step as Step)) throw new Error(`${step} is none of ${kSteps.join(", ")}`);
const folder = mkdtempSync(join(tmpdir(), "sync-manager-profile-"));
try {
  await profile(step as Step, Number(size), Number(rounds));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function profile(step: Step, size: number, rounds: number): Promise<void> {
  const server = await startProduct(resolve(import.meta.dirname, "../.."), folder);
  try {
    const api = await createApi(server.name, server.url);
    const address = await server.miniflare.getInspectorURL();
    const inspectors = await Promise.all(kIsolates.map((isolate) => connect(address, isolate)));
    const all = <T>(method: string, params = {}) =>
      Promise.all(inspectors.map((inspector) => inspector.call<T>(method, params)));
    await all("Profiler.enable");
    await all("Profiler.setSamplingInterval", { interval: kIntervalUs });
    const profiles: Profile[][] = kIsolates.map(() => []);
    let round = 0;
    const around = async (now: Step, work: () => Promise<unknown>) => {
      if (now === kSteps[0]) round++;
      if (now !== step || round <= kWarmUpRounds) return work();
      await all("Profiler.start");
      await work();
      for (const [i, stopped] of (await all<{ profile: Profile }>("Profiler.stop")).entries()) {
        profiles[i]?.push(stopped.profile);
      }
    };
    const bodies = new Bodies(folder, size);
    const asked = new Set([step]);
    const found = await measureFlows([api], bodies, asked, rounds, kWarmUpRounds, around);
    const measured = found.steps[server.name]?.[step];
    if (measured === undefined) throw new Error(found.failures[server.name]);
    const { median, sqlMs } = measured;
    console.log(
      `${step} of ${size}: ${median.toFixed(1)} ms, ${sqlMs.toFixed(1)} of them in SQLite`,
    );
    for (const [i, isolate] of kIsolates.entries()) print(isolate, profiles[i] ?? []);
    for (const inspector of inspectors) inspector.close();
  } finally {
    await stop(server);
  }
}

/** Milliseconds a round, by function. */
function print(isolate: string, profiles: readonly Profile[]): void {
  const byFunction = new Map<string, number>();
  for (const { nodes, samples, timeDeltas } of profiles) {
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    for (const [i, sample] of samples.entries()) {
      const name = names.get(sample) ?? "?";
      const ms = (timeDeltas[i] ?? 0) / 1000 / profiles.length;
      byFunction.set(name, (byFunction.get(name) ?? 0) + ms);
    }
  }
  console.log(`\n${isolate}, ms a round:`);
  const sorted = [...byFunction].sort(([, a], [, b]) => b - a).slice(0, kShown);
  for (const [name, ms] of sorted)
    if (ms >= 0.05) console.log(`${ms.toFixed(2).padStart(9)}  ${name}`);
}

function nameOf({ functionName, url, lineNumber }: Profile["nodes"][number]["callFrame"]): string {
  const file = url.split("/").at(-1) ?? "";
  return `${functionName || "(anonymous)"}${file === "" ? "" : ` ${file}:${lineNumber + 1}`}`;
}
