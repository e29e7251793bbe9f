// Imports, syncs and lists, paired: each request goes to one server, then to the other, and who is
// first changes with every request and round. A round works on a source and a target of a tenant of
// its own, and every answer is checked before its time counts.
import { readFileSync } from "node:fs";
import type { Bodies } from "./bodies.ts";
import { type Api, createApi, createPair, requestJson, requestRows } from "./client.ts";
import type { Seen } from "./probe.ts";
import { look } from "./servers.ts";
import { median, type Summary, summary } from "./statistics.ts";
import { type Counts, expectedCounts, kBodyOf, kLabels, type Step, withNeeded } from "./steps.ts";

const kLeastRuns = 5;
const kShort: readonly (readonly Step[])[] = [["sync_unchanged"], ["import_few", "sync_few"]];

export interface Measured extends Summary {
  readonly ms: readonly number[];
  /** What D1 bills for the step. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Round trips to D1, and the statements that went with them. */
  readonly calls: number;
  readonly statements: number;
  /** Medians of what the time is made of: WebAssembly, waiting for D1, and SQLite within that. */
  readonly coreMs: number;
  readonly d1Ms: number;
  readonly sqlMs: number;
}

export interface FlowResults {
  /** By server, then by step. */
  readonly steps: Record<string, Partial<Record<Step, Measured>>>;
  /** Why a server did not get to the end. */
  readonly failures: Record<string, string>;
}

/** Does something before and after a step. */
export type Around = (step: Step, work: () => Promise<unknown>) => Promise<unknown>;

/** One server in one round. */
interface Runner {
  readonly api: Api;
  source: number;
  target: number;
}

interface Outcome {
  readonly counts: Counts;
  ms: number;
  readonly before: Seen;
  after: Seen;
}

export async function measureFlows(
  apis: readonly Api[],
  bodies: Bodies,
  asked: ReadonlySet<Step>,
  rounds: number,
  warmUpRounds: number,
  around: Around = (_, work) => work(),
): Promise<FlowResults> {
  const outcomes = new Map<string, Outcome[]>();
  const failures: Record<string, string> = {};
  const steps = withNeeded(asked);
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const order = round % 2 === 0 ? apis : [...apis].reverse();
    const runners: Runner[] = [];
    for (const api of order) {
      if (!(api.name in failures)) runners.push(await createRunner(api));
    }
    for (const [step, repetition] of repeated(steps, rounds)) {
      let ofStep = new Map<string, Outcome>();
      await around(step, async () => {
        ofStep = await runStep(runners, step, bodies, repetition, failures);
      });
      if (round < warmUpRounds || !asked.has(step)) continue;
      for (const [name, outcome] of ofStep) {
        const key = `${name}/${step}`;
        outcomes.set(key, [...(outcomes.get(key) ?? []), outcome]);
      }
    }
  }
  const results: FlowResults = { steps: {}, failures };
  for (const { name } of apis) {
    const ofApi: Partial<Record<Step, Measured>> = {};
    for (const step of asked) {
      const measured = outcomes.get(`${name}/${step}`);
      if (measured !== undefined) ofApi[step] = summarize(measured);
    }
    results.steps[name] = ofApi;
  }
  return results;
}

async function createRunner({ name, url }: Api): Promise<Runner> {
  const api = await createApi(name, url);
  return { api, ...(await createPair(api)) };
}

/** The short steps are done over again where there are few rounds: a median needs some. */
function* repeated(steps: readonly Step[], rounds: number): Generator<[Step, repetition: number]> {
  const repetitions = Math.max(1, Math.ceil(kLeastRuns / rounds));
  for (const step of steps) {
    const short = kShort.find((group) => group.includes(step));
    if (short === undefined) yield [step, 0];
    if (short?.findLast((each) => steps.includes(each)) !== step) continue;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const each of short) if (steps.includes(each)) yield [each, repetition];
    }
  }
}

function summarize(outcomes: readonly Outcome[]): Measured {
  const ms = outcomes.map((outcome) => outcome.ms);
  const between = (field: keyof Seen) =>
    outcomes.map(({ before, after }) => after[field] - before[field]);
  return {
    ...summary(ms),
    ms,
    rowsRead: between("rowsRead").at(-1) ?? 0,
    rowsWritten: between("rowsWritten").at(-1) ?? 0,
    calls: between("calls").at(-1) ?? 0,
    statements: between("statements").at(-1) ?? 0,
    coreMs: median(between("coreMs")),
    d1Ms: median(between("d1Ms")),
    sqlMs: median(between("sqlMs")),
  };
}

/**
 * One step on all servers that still work. A server that fails is out for the rest of this size.
 */
async function runStep(
  runners: readonly Runner[],
  step: Step,
  bodies: Bodies,
  repetition: number,
  failures: Record<string, string>,
): Promise<Map<string, Outcome>> {
  const kind = kBodyOf[step];
  const files = kind === undefined ? [] : bodies.files(kind, repetition);
  // Making them may take long, and a server closes a connection that nobody uses for some seconds:
  // the client must get to see that before it sends on it.
  await new Promise((done) => setTimeout(done, 1));
  const outcomes = new Map<string, Outcome>();
  const all = async (work: (runner: Runner) => Promise<void>, turn: number) => {
    for (const runner of turn % 2 === 0 ? runners : [...runners].reverse()) {
      const { name } = runner.api;
      if (name in failures) continue;
      try {
        await work(runner);
      } catch (error) {
        failures[name] = `${kLabels[step]}: ${error instanceof Error ? error.message : error}`;
        outcomes.delete(name);
      }
    }
  };
  const start = async ({ api }: Runner) => {
    const before = await look(api, "settle");
    const counts = { created: 0, updated: 0, skipped: 0 };
    outcomes.set(api.name, { counts, ms: 0, before, after: before });
  };
  const finish = async ({ api }: Runner) => {
    const outcome = outcomes.get(api.name) as Outcome;
    outcome.after = await look(api);
    const expected = JSON.stringify(expectedCounts(step, bodies.size));
    const found = JSON.stringify(outcome.counts);
    if (found !== expected) throw new Error(`${found}, not ${expected}`);
  };
  await all(start, 0);
  if (kind === undefined) {
    await all((runner) => send(runner, step, outcomes), 0);
  } else {
    for (const [turn, file] of files.entries()) {
      const body = readFileSync(file);
      await all((runner) => send(runner, step, outcomes, body), turn);
    }
  }
  await all(finish, 0);
  return outcomes;
}

/** A request of a step. */
async function send(
  { api, source, target }: Runner,
  step: Step,
  outcomes: ReadonlyMap<string, Outcome>,
  body?: Buffer,
): Promise<void> {
  const outcome = outcomes.get(api.name) as Outcome;
  if (step === "list") {
    const { rows, ms } = await requestRows(api.url, `/targets/${target}/properties`, api.key);
    outcome.counts.skipped += rows;
    outcome.ms += ms;
    return;
  }
  if (step === "clean_up") {
    const { value, answer } = await requestJson<{ deleted: Record<string, number> }>(
      200,
      api.url,
      "POST",
      "/cleanup?days=0",
      undefined,
      api.key,
    );
    if (Object.values(value.deleted).some((count) => count === 0)) throw new Error(answer.text);
    outcome.ms += answer.ms;
    return;
  }
  const path = body === undefined ? `/sync/${source}/${target}` : `/sources/${source}/import`;
  const { value, answer } = await requestJson<{ status: string; stats: Counts }>(
    200,
    api.url,
    "POST",
    path,
    body,
    api.key,
  );
  if (value.status !== "success") throw new Error(answer.text.slice(0, 1000));
  outcome.counts.created += value.stats.created;
  outcome.counts.updated += value.stats.updated;
  outcome.counts.skipped += value.stats.skipped;
  outcome.ms += answer.ms;
}
