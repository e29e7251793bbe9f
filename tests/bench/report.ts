// The results as tables: what was measured beside what the design asks for.
import type { CanonicalResult } from "./canonical.ts";
import type { FloorResults } from "./floor.ts";
import type { FlowResults, Measured } from "./flows.ts";
import { exponent } from "./growth.ts";
import type { MemoryResult } from "./memory.ts";
import type { Memory } from "./servers.ts";
import type { Latency, SingleResults } from "./single.ts";
import { median } from "./statistics.ts";
import { kLabels, kSteps, type Step } from "./steps.ts";
import type { WasmResult } from "./wasm.ts";

export interface SizeMemory {
  readonly process: Memory | null;
  /** Of all instances of the core in the isolate, and of the largest one. */
  readonly wasmBytes: number;
  readonly largestBytes: number;
}

export interface SizeResults extends FlowResults {
  readonly floor: FloorResults;
  /** By server, at most, over all steps of the size. */
  readonly memory: Record<string, SizeMemory>;
}

export interface Results {
  readonly machine: {
    readonly cores: number;
    readonly memoryGiB: number;
    readonly node: string;
    readonly miniflare: string;
    readonly workerd: string;
    readonly commit: string;
  };
  wasm?: WasmResult[];
  canonical?: CanonicalResult;
  readonly sizes: Record<number, SizeResults>;
  single?: SingleResults;
  memory?: MemoryResult[];
}

/** How many times ahead of JavaScript a step is to be, by size. */
const kAhead: Record<number, Partial<Record<Step, number>>> = {
  10000: {
    import_new: 2.2,
    import_unchanged: 3,
    import_all: 2.2,
    sync_new: 3.5,
    sync_1_percent: 2.5,
    sync_all: 5,
    sync_unchanged: 5,
  },
  1000000: { sync_unchanged: 100 },
};
/** How many times the time of the native program's SQLite a step may take at 10,000. */
const kMostOfFloor: Partial<Record<Step, number>> = { sync_new: 1.5, sync_all: 1.5 };
/** The size for which the design names figures of the native program and of rows written. */
const kReachAt = 10_000;
/** Rows written for each property of a step. */
const kWrittenEach: Partial<Record<Step, number>> = {
  import_new: 4,
  import_unchanged: 0,
  import_all: 4,
  sync_new: 3,
  sync_unchanged: 0,
  sync_all: 3,
};
const kCanonicalAhead = 4;
const kMostGzippedBytes = 200_000;
const kMostInstanceMs = 5;
const kMostSingle = 2;
const kMostIsolateBytes = 128_000_000;
const kMostWasmBytes = 64 * 2 ** 20;

export function report(results: Results): string {
  const { machine } = results;
  const lines = [
    `Measured at ${machine.commit} on ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ` +
      `${machine.node}, workerd ${machine.workerd} (Miniflare ${machine.miniflare}). Medians; ` +
      `"ahead" is the median of the rounds' ratios, "reach" is what the design asks for.`,
  ];
  const rows = [...wasmRows(results), ...canonicalRows(results), ...singleRows(results)];
  if (rows.length > 0) lines.push("", ...table(kWholeHead, rows));
  if (results.memory !== undefined) {
    lines.push("", "## Memory of the isolate", "");
    lines.push(...table(kMemoryHead, results.memory.map(memoryRow)));
  }
  for (const [size, found] of Object.entries(results.sizes)) {
    lines.push("", `## ${count(Number(size))} properties of 1 KB`, "");
    lines.push(...sizeLines(Number(size), found));
  }
  const growth = growthRows(results);
  if (growth.length > 0)
    lines.push("", "## Growth", "", kGrowthText, "", ...table(kGrowthHead, growth));
  return `${lines.join("\n")}\n`;
}

const kWholeHead = ["what", "measured", "JavaScript", "ratio", "reach", "reached"];

function wasmRows({ wasm = [] }: Results): string[][] {
  return wasm.flatMap(({ build, gzippedBytes, instanceMs }) => [
    [
      `module, ${build}, gzipped`,
      `${count(gzippedBytes)} bytes`,
      "",
      "",
      `< ${count(kMostGzippedBytes)}`,
      yes(gzippedBytes < kMostGzippedBytes),
    ],
    [
      `instance ready, ${build}`,
      ms(instanceMs),
      "",
      "",
      `< ${kMostInstanceMs} ms`,
      yes(instanceMs < kMostInstanceMs),
    ],
  ]);
}

function canonicalRows({ canonical }: Results): string[][] {
  if (canonical === undefined) return [];
  const { javascript, wasm, items } = canonical;
  const ratio = javascript.median / wasm.median;
  return [
    [
      `parse, canonical form, SHA-256 of ${count(items)}`,
      ms(wasm.median),
      ms(javascript.median),
      times(ratio),
      `${kCanonicalAhead}×`,
      yes(ratio >= kCanonicalAhead),
    ],
  ];
}

/** What the product asks of D1 for the request. */
function asked({ calls, rowsRead, rowsWritten }: Latency): string {
  if (calls === undefined) return "";
  return ` (${calls} calls of D1, ${rowsRead} rows read, ${rowsWritten} written)`;
}

function singleRows({ single }: Results): string[][] {
  const floor = single?.["floor"];
  if (single === undefined || floor === undefined) return [];
  const edit = single["edit floor"];
  const andWrites = (kind: "GET" | "PATCH", share: "p50" | "p99") =>
    edit === undefined || kind === "GET" ? "" : ` (${ms(edit[share])} where it writes, too)`;
  return (["GET", "PATCH"] as const).flatMap((kind) => {
    const product = single[`product ${kind}`];
    const baseline = single[`baseline ${kind}`];
    if (product === undefined || baseline === undefined) return [];
    return (["p50", "p99"] as const).map((share) => {
      const ratio = product[share] / floor[share];
      return [
        `${kind} of one row, ${share}${share === "p50" ? asked(product) : ""}`,
        ms(product[share]),
        ms(baseline[share]),
        `${times(ratio)} of an empty Worker's ${ms(floor[share])}${andWrites(kind, share)}`,
        share === "p99" ? `≤ ${kMostSingle}×` : "",
        share === "p99" ? yes(ratio <= kMostSingle) : "",
      ];
    });
  });
}

const kMemoryHead = [
  "request",
  "time",
  `isolate at most (< ${megabytes(kMostIsolateBytes)})`,
  "JavaScript heap",
  "buffers",
  "WebAssembly",
  `largest instance (< ${megabytes(kMostWasmBytes)})`,
  "process, database included",
];

function memoryRow(memory: MemoryResult): string[] {
  const bound = (bytes: number, most: number) => `${megabytes(bytes)} (${yes(bytes < most)})`;
  return [
    memory.what,
    ms(memory.ms),
    bound(memory.isolateBytes, kMostIsolateBytes),
    megabytes(memory.heapBytes),
    megabytes(memory.bufferBytes),
    megabytes(memory.wasmBytes),
    bound(memory.largestBytes, kMostWasmBytes),
    `${megabytes(memory.peakBytes)} (before ${megabytes(memory.idleBytes)})`,
  ];
}

const kTimesHead = [
  "step",
  "product (min-max)",
  "JavaScript",
  "ahead",
  "reach",
  "reached",
  "native",
  "its SQL",
  "product / SQL",
];
const kCostsHead = [
  "step",
  "in WebAssembly",
  "waiting for D1",
  "of it in SQLite",
  "calls of D1 (statements)",
  "rows read",
  "rows written",
  "JavaScript: rows read",
  "rows written",
];

function sizeLines(size: number, found: SizeResults): string[] {
  const measured = kSteps.filter((step) => found.steps["product"]?.[step] !== undefined);
  const lines = [
    ...table(
      kTimesHead,
      measured.map((step) => timesRow(size, step, found)),
    ),
    "",
    ...table(
      kCostsHead,
      measured.map((step) => costsRow(size, step, found)),
    ),
  ];
  for (const [name, reason] of Object.entries(found.failures)) {
    lines.push("", `The ${name} failed and was left out from there on: ${reason.slice(0, 300)}`);
  }
  const memory = Object.entries(found.memory).flatMap(([name, of]) => {
    if (of.process === null) return [];
    const wasm = `${megabytes(of.wasmBytes)} of WebAssembly, largest ${megabytes(of.largestBytes)}`;
    return [
      `${name} ${megabytes(of.process.peakBytes)}${of.wasmBytes === 0 ? "" : ` (its isolate ${wasm})`}`,
    ];
  });
  lines.push("", `Memory of the processes at most: ${memory.join(", ")}.`);
  return lines;
}

function timesRow(size: number, step: Step, { steps, floor }: SizeResults): string[] {
  const product = steps["product"]?.[step];
  const baseline = steps["baseline"]?.[step];
  const native = floor[step];
  if (product === undefined) return [kLabels[step]];
  const ratio = baseline === undefined ? Number.NaN : aheadOf(baseline, product);
  const ahead = kAhead[size]?.[step];
  const ofFloor = native === undefined ? Number.NaN : product.median / native.sqlMs;
  const most = size === kReachAt && native !== undefined ? kMostOfFloor[step] : undefined;
  return [
    kLabels[step],
    `${ms(product.median)} (${ms(product.min)}-${ms(product.max)})`,
    baseline === undefined ? "failed" : ms(baseline.median),
    times(ratio),
    ahead === undefined ? "" : `${ahead}×`,
    ahead === undefined ? "" : yes(ratio >= ahead),
    native === undefined ? "" : ms(native.ms),
    native === undefined ? "" : ms(native.sqlMs),
    times(ofFloor) + (most === undefined ? "" : ` (≤ ${most}×: ${yes(ofFloor <= most)})`),
  ];
}

/** The median of the rounds' ratios: what disturbs a round disturbs both of its sides. */
function aheadOf(baseline: Measured, product: Measured): number {
  return median(product.ms.map((ms, round) => (baseline.ms[round] ?? Number.NaN) / ms));
}

function costsRow(size: number, step: Step, { steps }: SizeResults): string[] {
  const product = steps["product"]?.[step];
  const baseline = steps["baseline"]?.[step];
  if (product === undefined) return [kLabels[step]];
  const most = size === kReachAt ? kWrittenEach[step] : undefined;
  // Beside the properties: the log, counters, the two sides and their pair.
  const reached = most !== undefined && product.rowsWritten <= most * size + (most === 0 ? 1 : 10);
  return [
    kLabels[step],
    ms(product.coreMs),
    ms(product.d1Ms),
    ms(product.sqlMs),
    `${product.calls} (${product.statements})`,
    count(product.rowsRead),
    count(product.rowsWritten) +
      (most === undefined ? "" : ` (≤ ${most} a property: ${yes(reached)})`),
    baseline === undefined ? "" : count(baseline.rowsRead),
    baseline === undefined ? "" : count(baseline.rowsWritten),
  ];
}

const kGrowthHead = [
  "step",
  "exponent of time",
  "of rows read",
  "100,000 → 1,000,000: time",
  "JavaScript's exponent",
  "JavaScript: time",
];
const kGrowthText =
  "Exponents are slopes of a line through the logarithms of all sizes from 10,000 on: " +
  "1 is linear, 0 is constant.";

function growthRows({ sizes }: Results): string[][] {
  const large = Object.keys(sizes)
    .map(Number)
    .filter((size) => size >= 10_000);
  if (large.length < 2) return [];
  const of = (server: string, step: Step, field: "median" | "rowsRead") =>
    large.flatMap((size): [number, number][] => {
      const value = sizes[size]?.steps[server]?.[step]?.[field];
      return value === undefined ? [] : [[size, value]];
    });
  const factor = (server: string, step: Step) => {
    const [small, big] = [100_000, 1_000_000].map((size) => sizes[size]?.steps[server]?.[step]);
    return small === undefined || big === undefined ? "" : times(big.median / small.median);
  };
  return kSteps
    .filter((step) => of("product", step, "median").length > 1)
    .map((step) => [
      kLabels[step],
      slope(of("product", step, "median")),
      slope(of("product", step, "rowsRead")),
      factor("product", step),
      of("baseline", step, "median").length > 1 ? slope(of("baseline", step, "median")) : "",
      factor("baseline", step),
    ]);
}

function slope(points: readonly (readonly [number, number])[]): string {
  return exponent(points).toFixed(2).replace("-0.00", "0.00");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

function ms(value: number): string {
  if (Number.isNaN(value)) return "";
  return value < 10_000
    ? `${value.toFixed(value < 10 ? 1 : 0)} ms`
    : `${(value / 1000).toFixed(1)} s`;
}

function times(value: number): string {
  return Number.isNaN(value) ? "" : `${value.toFixed(value < 100 ? 1 : 0)}×`;
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`;
}

function yes(reached: boolean): string {
  return reached ? "yes" : "no";
}
