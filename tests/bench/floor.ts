// Runs the native program on the same bodies (floor.cc).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Bodies } from "./bodies.ts";
import { median } from "./statistics.ts";
import { type Counts, expectedCounts, kBodyOf, type Step, withNeeded } from "./steps.ts";

/** Medians of the native program. */
export interface FloorStep {
  readonly ms: number;
  /** The part of it inside SQLite. */
  readonly sqlMs: number;
}
export type FloorResults = Partial<Record<Step, FloorStep>>;

/** By round, and what the answers of the last one added up to. */
interface Printed {
  readonly ms: number[];
  readonly sql_ms: number[];
  readonly counts: Counts;
}

/** Nothing where the program was not built. */
export function measureFloor(
  root: string,
  bodies: Bodies,
  asked: ReadonlySet<Step>,
  rounds: number,
): FloorResults {
  const program = join(root, "build/release/tests/bench/floor");
  if (!existsSync(program)) return {};
  const steps = withNeeded(asked).map((step) => {
    const kind = kBodyOf[step];
    return [step, ...(kind === undefined ? [] : bodies.files(kind))].join(",");
  });
  const { status, stdout, stderr } = spawnSync(program, [String(rounds), ...steps], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) {
    console.error(`the native program failed and is left out (make build-release): ${stderr}`);
    return {};
  }
  const measured = JSON.parse(stdout) as Record<Step, Printed>;
  const results: FloorResults = {};
  for (const step of asked) {
    const expected = expectedCounts(step, bodies.size);
    const { created, updated, skipped } = measured[step].counts;
    const found = { created, updated, skipped };
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      throw new Error(`floor, ${step}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
    }
    results[step] = { ms: median(measured[step].ms), sqlMs: median(measured[step].sql_ms) };
  }
  return results;
}
