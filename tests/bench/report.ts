// The results as tables: what was measured beside what the design asks for.
import type { CanonicalResult } from "./canonical.ts";
import type { FlowResults, Step } from "./flows.ts";
import type { MemoryResult } from "./memory.ts";
import type { SingleResults } from "./single.ts";
import type { WasmResult } from "./wasm.ts";

export interface Results {
  readonly machine: {
    readonly cores: number;
    readonly memoryGiB: number;
    readonly node: string;
    readonly wrangler: string;
    readonly workerd: string;
    readonly commit: string;
  };
  wasm?: WasmResult[];
  canonical?: CanonicalResult;
  readonly flows: Record<number, FlowResults>;
  /** Medians of the native program, by size and step. */
  readonly floor: Record<number, Record<string, number>>;
  single?: SingleResults;
  memory?: MemoryResult | undefined;
}

/** How many times ahead of JavaScript each step is to be at 10,000 properties. */
const kAhead: Partial<Record<Step, number>> = {
  "import new": 2.2,
  "import unchanged": 3,
  "import all changed": 2.2,
  "sync new": 3.5,
  "sync 1 % changed": 2.5,
  "sync all changed": 5,
  "sync unchanged": 5,
};
const kAheadAt = 10_000;
const kCanonicalAhead = 4;
const kMostGzippedBytes = 200_000;
const kMostInstanceMs = 5;
const kMostSingle = 2;

export function report(results: Results): string {
  const { machine } = results;
  const lines = [
    `Measured at ${machine.commit} on ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}, ` +
      `wrangler ${machine.wrangler}, workerd ${machine.workerd}. Medians.`,
    "",
    "| what | measured | JavaScript | ratio | reach | reached |",
    "| --- | --- | --- | --- | --- | --- |",
    ...wasmLines(results),
    ...canonicalLines(results),
    ...singleLines(results),
    ...memoryLines(results),
  ];
  for (const [size, flows] of Object.entries(results.flows)) {
    lines.push("", ...flowLines(Number(size), flows, results.floor[Number(size)] ?? {}));
  }
  return `${lines.join("\n")}\n`;
}

function wasmLines({ wasm = [] }: Results): string[] {
  return wasm.flatMap(({ build, gzippedBytes, instanceMs }) => [
    `| module, ${build}, gzipped | ${gzippedBytes} bytes | | | < ${kMostGzippedBytes} | ${yes(gzippedBytes < kMostGzippedBytes)} |`,
    `| instance ready, ${build} | ${ms(instanceMs)} | | | < ${kMostInstanceMs} ms | ${yes(instanceMs < kMostInstanceMs)} |`,
  ]);
}

function canonicalLines({ canonical }: Results): string[] {
  if (canonical === undefined) return [];
  const { javascript, wasm, items } = canonical;
  const ratio = javascript.median / wasm.median;
  return [
    `| parse, canonical form, SHA-256 of ${items} | ${ms(wasm.median)} | ${ms(javascript.median)} | ` +
      `${times(ratio)} | ${kCanonicalAhead}× ahead | ${yes(ratio >= kCanonicalAhead)} |`,
  ];
}

function singleLines({ single }: Results): string[] {
  if (single === undefined) return [];
  return (["GET", "PATCH"] as const).flatMap((kind) => {
    const product = single[`product ${kind}`];
    const floor = single["floor"];
    const baseline = single[`baseline ${kind}`];
    if (product === undefined || floor === undefined) return [];
    const ratio = product.p99 / floor.p99;
    return [
      `| ${kind} of one row, p99 (p50 ${ms(product.p50)}) | ${ms(product.p99)} | ${ms(baseline?.p99 ?? Number.NaN)} | ` +
        `${times(ratio)} of an empty Worker's ${ms(floor.p99)} | within ${kMostSingle}× | ${yes(ratio <= kMostSingle)} |`,
    ];
  });
}

function memoryLines({ memory }: Results): string[] {
  if (memory === undefined) return [];
  const grown = mebibytes(memory.peakBytes - memory.idleBytes);
  return [
    `| process over an import of ${memory.bodyBytes} bytes (${ms(memory.ms)}) | + ${grown} on ${mebibytes(memory.idleBytes)} | | | 128 MiB an isolate | see text |`,
  ];
}

function flowLines(size: number, flows: FlowResults, floor: Record<string, number>): string[] {
  const steps = Object.keys(flows["product"] ?? {}) as Step[];
  return [
    `${size} properties of 1 KB:`,
    "",
    "| step | product (min-max) | JavaScript | ahead | reach | reached | native SQLite |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...steps.map((step) => {
      const product = flows["product"]?.[step];
      const baseline = flows["baseline"]?.[step];
      if (product === undefined || baseline === undefined) return `| ${step} | | | | | | |`;
      const ratio = baseline.median / product.median;
      const reach = size === kAheadAt ? kAhead[step] : undefined;
      const native = floor[step];
      return (
        `| ${step} | ${ms(product.median)} (${ms(product.min)}-${ms(product.max)}) | ${ms(baseline.median)} | ` +
        `${times(ratio)} | ${reach === undefined ? "" : `${reach}×`} | ` +
        `${reach === undefined ? "" : yes(ratio >= reach)} | ${native === undefined ? "" : ms(native)} |`
      );
    }),
  ];
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function times(value: number): string {
  return `${value.toFixed(1)}×`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function yes(reached: boolean): string {
  return reached ? "yes" : "no";
}
