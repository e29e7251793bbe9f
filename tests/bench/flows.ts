// Imports and syncs, paired: each step runs on one server, then on the other, and who goes first changes with the round.
// Every round works on a source and a target of its own, and every answer is checked before its time counts.
import { type Api, createPair, requestJson } from "./client.ts";
import { importBody, type Variant } from "./generate.ts";
import { type Summary, summary } from "./statistics.ts";

/** Properties in one request; a body may have 100,000,000 bytes. */
const kChunk = 50_000;
/** Bodies are kept between rounds up to this size of a list, and made anew above. */
const kMostKept = 100_000;
/** What "a few changes" means, at any size. */
export const kFew = 10;

export const kSteps = [
  "import new",
  "import unchanged",
  "sync new",
  "sync unchanged",
  "import 1 % changed",
  "sync 1 % changed",
  "import few changed",
  "sync few changed",
  "import all changed",
  "sync all changed",
] as const;
export type Step = (typeof kSteps)[number];

interface Stats {
  created: number;
  updated: number;
  skipped: number;
}

export interface Measured extends Summary {
  readonly ms: number[];
  /** What D1 bills, where the server says it. */
  readonly rowsRead: number | null;
  readonly rowsWritten: number | null;
}

/** By server, then by step. */
export type FlowResults = Record<string, Partial<Record<Step, Measured>>>;

export async function measureFlows(
  apis: readonly Api[],
  size: number,
  rounds: number,
): Promise<FlowResults> {
  const bodies = new Bodies(size);
  const times = new Map<string, number[]>();
  const rows = new Map<string, [read: number | null, written: number | null]>();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? apis : [...apis].reverse();
    const pairs = new Map<Api, { source: number; target: number }>();
    for (const api of order) pairs.set(api, await createPair(api));
    for (const step of kSteps) {
      for (const api of order) {
        const { source, target } = pairs.get(api) as { source: number; target: number };
        const outcome = await runStep(api, step, source, target, size, bodies);
        const name = `${api.name}/${step}`;
        times.set(name, [...(times.get(name) ?? []), outcome.ms]);
        rows.set(name, [outcome.rowsRead, outcome.rowsWritten]);
      }
    }
  }
  const results: FlowResults = {};
  for (const api of apis) {
    const ofApi: Partial<Record<Step, Measured>> = {};
    for (const step of kSteps) {
      const ms = times.get(`${api.name}/${step}`) ?? [];
      const [rowsRead = null, rowsWritten = null] = rows.get(`${api.name}/${step}`) ?? [];
      ofApi[step] = { ...summary(ms), ms, rowsRead, rowsWritten };
    }
    results[api.name] = ofApi;
  }
  return results;
}

interface Outcome {
  ms: number;
  rowsRead: number | null;
  rowsWritten: number | null;
}

async function runStep(
  api: Api,
  step: Step,
  source: number,
  target: number,
  size: number,
  bodies: Bodies,
): Promise<Outcome> {
  const outcome: Outcome = { ms: 0, rowsRead: null, rowsWritten: null };
  const stats: Stats = { created: 0, updated: 0, skipped: 0 };
  const send = async (path: string, body?: Buffer) => {
    const { value, answer } = await requestJson<{ status: string; stats: Stats }>(
      200,
      api.url,
      "POST",
      path,
      body,
      api.key,
    );
    if (value.status !== "success") throw new Error(`${path}: ${answer.text.slice(0, 1000)}`);
    stats.created += value.stats.created;
    stats.updated += value.stats.updated;
    stats.skipped += value.stats.skipped;
    outcome.ms += answer.ms;
    const read = answer.headers["x-rows-read"];
    const written = answer.headers["x-rows-written"];
    if (read !== undefined) outcome.rowsRead = (outcome.rowsRead ?? 0) + Number(read);
    if (written !== undefined) outcome.rowsWritten = (outcome.rowsWritten ?? 0) + Number(written);
  };
  const isImport = step.startsWith("import");
  if (isImport) {
    for (const body of bodies.of(step)) await send(`/sources/${source}/import`, body);
  } else {
    await send(`/sync/${source}/${target}`);
  }
  const expected = expectedStats(step, size);
  for (const field of ["created", "updated", "skipped"] as const) {
    if (stats[field] !== expected[field]) {
      const found = `${JSON.stringify(stats)}, not ${JSON.stringify(expected)}`;
      throw new Error(`${api.name}, ${step} of ${size}: ${found}`);
    }
  }
  return outcome;
}

/** Of a whole step; an import of a few carries no others, so it skips none. */
function expectedStats(step: Step, size: number): Stats {
  const few = Math.min(kFew, size);
  if (step.endsWith(" new")) return { created: size, updated: 0, skipped: 0 };
  if (step === "import few changed") return { created: 0, updated: few, skipped: 0 };
  const updated = step.endsWith(" unchanged")
    ? 0
    : step.endsWith("1 % changed")
      ? Math.ceil(size / 100)
      : step.endsWith("few changed")
        ? few
        : size;
  return { created: 0, updated, skipped: size - updated };
}

/** The bodies of the imports. Revisions make each step differ from the state that the step before left. */
class Bodies {
  readonly #size: number;
  readonly #kept = new Map<string, Buffer[]>();

  constructor(size: number) {
    this.#size = size;
  }

  *of(step: Step): Generator<Buffer> {
    if (step === "import few changed") {
      yield importBody(0, Math.min(kFew, this.#size), "all_changed", 3);
    } else if (step === "import 1 % changed") {
      yield* this.#chunks("changed_1_percent", 1);
    } else if (step === "import all changed") {
      yield* this.#chunks("all_changed", 2);
    } else {
      yield* this.#chunks("new", 0);
    }
  }

  *#chunks(variant: Variant, revision: number): Generator<Buffer> {
    const kept = this.#kept.get(variant);
    if (kept !== undefined) {
      yield* kept;
      return;
    }
    const made: Buffer[] = [];
    for (let first = 0; first < this.#size; first += kChunk) {
      const body = importBody(first, Math.min(first + kChunk, this.#size), variant, revision);
      if (this.#size <= kMostKept) made.push(body);
      yield body;
    }
    if (this.#size <= kMostKept) this.#kept.set(variant, made);
  }
}
