// Eight clients import into, edit and sync one target and its sources at once: no edit is lost, no
// row shows half of an import or sync, nobody is turned away, and memory stays flat.
//
// Nothing in api.md lets one client's work be refused for another's here: edits that race are all
// kept, imports and syncs are safe beside each other, 409 is for removals beyond the ratio and for
// idempotency keys, 503 for a store or pool that is overloaded. So every answer must be 200.
//
//   FAULTS_SEED     the seed of a run to repeat; it is printed
//   FAULTS_SECONDS  how long, in place of 20

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../contract/client.ts";
import type { Place, SourceProperty } from "../contract/rows.ts";
import { startServer } from "../contract/server.ts";
import {
  createSource,
  importItems,
  newClient,
  range,
  sourceRows,
  targetRows,
} from "../contract/world.ts";
import type { ImportSet } from "./ledger.ts";
import { Load } from "./load.ts";
import { kTidyMemory, megabytes, residentBytes, workerOf } from "./processes.ts";
import { chosenSeed, Random } from "./random.ts";
import { assertStore, prepareScene } from "./scene.ts";
import { StoreCopy } from "./store_copy.ts";

const kClients = 8;
const kSeconds = Number(process.env["FAULTS_SECONDS"] || 20);
const kTimeoutMs = 100_000 + kSeconds * 1_000;
const kSampleMs = 250;
const kRivalItems = 50;

const server = await startServer({ env: kTidyMemory });
after(() => server.stop());
const stateDir = server.stateDir ?? "";

const seed = chosenSeed();
const title = `concurrency: eight clients at once for ${kSeconds} s (FAULTS_SEED=${seed})`;
test(title, { timeout: kTimeoutMs }, async (t) => {
  const random = new Random(seed);
  const { key } = await newClient(server);
  const client = new Client(server.origin, key);
  const load = new Load(() => client, random);
  t.after(() => load.abandon());
  const target = await prepareScene(load, client, { editors: kClients });
  const rivals = new Rivals(client, await createSource(client));
  for (const at of range(kClients)) startClient(load, random, target, rivals, `editor${at}`);
  const samples = await sampleMemory(kSeconds * 1_000);
  await load.finish();
  t.diagnostic(JSON.stringify(load.counts));
  assert.deepEqual([load.counts.cutOff, load.counts.unavailable], [0, 0], "nobody is turned away");
  await rivals.assertSettled();
  await assertSettled(load, client, target);
  assertStore(new StoreCopy(stateDir).take(), load.ledger, "at the end");
  assertFlat(samples, (text) => t.diagnostic(text));
});

/** A client's steps are drawn. Two never import one set at once, but all edit the same rows. */
function startClient(
  load: Load,
  random: Random,
  target: Place,
  rivals: Rivals,
  field: string,
): void {
  const { sets, edits } = load.ledger;
  const own = edits.filter((edit) => edit.field === field);
  load.start(async () => {
    const step = random.between(1, 100);
    const free = sets.filter((set) => !busy.has(set));
    if (step <= 30 && free.length > 0) await importAlone(load, random.pick(free));
    else if (step <= 35) await rivals.importOnce();
    else if (step <= 60) await load.syncNow(random.pick(sets).source, target);
    else if (step <= 65) await load.read(random.pick(sets).source);
    else if (step <= 70) await load.readTarget(target);
    else await load.edit(random.pick(own));
  });
}

const busy = new Set<ImportSet>();

async function importAlone(load: Load, set: ImportSet): Promise<void> {
  busy.add(set);
  try {
    await load.importNext(set);
  } finally {
    busy.delete(set);
  }
}

/** Imports of the same items, each with a stamp of its own, which race with one another. */
class Rivals {
  private readonly client: Client;
  private readonly source: Place;
  private readonly imports: { readonly began: number; ended: number }[] = [];

  constructor(client: Client, source: Place) {
    this.client = client;
    this.source = source;
  }

  async importOnce(): Promise<void> {
    const stamp = this.imports.length;
    const own = { began: performance.now(), ended: Number.POSITIVE_INFINITY };
    this.imports.push(own);
    const items = range(kRivalItems).map((id) => ({ id, stamp }));
    const { stats } = await importItems(this.client, this.source, items);
    const { created, updated } = stats;
    assert.ok([created, updated].includes(kRivalItems), `all or nothing: ${JSON.stringify(stats)}`);
    own.ended = performance.now();
  }

  /** One import was the last: no other began after it had been acknowledged. */
  async assertSettled(): Promise<void> {
    const rows: SourceProperty[] = await sourceRows(this.client, this.source);
    const stamps = new Set(rows.map((row) => Number(row.data["stamp"])));
    assert.ok(stamps.size <= 1, `the stamps ${[...stamps].join(" and ")}`);
    for (const stamp of stamps) {
      const last = this.imports[stamp];
      assert.ok(last !== undefined);
      const later = this.imports.filter((other) => other.began > last.ended);
      assert.equal(later.length, 0, `${later.length} imports began after the last one had ended`);
    }
    for (const row of rows) assert.equal(row.version, this.imports.length, "each import counts");
  }
}

/** With nobody else about, a second sync of each source changes nothing and counts what is. */
async function assertSettled(load: Load, client: Client, target: Place): Promise<void> {
  for (const source of new Set(load.ledger.sets.map((set) => set.source))) {
    await load.syncNow(source, target);
    await load.syncNow(source, target);
    const told = load.ledger.syncs.at(-1);
    assert.ok(told !== undefined);
    const live = (await sourceRows(client, source)).filter((row) => row.removed_at === null);
    const ids = new Set(live.map((row) => row.external_id));
    const rows = (await targetRows(client, target)).filter((row) => ids.has(row.external_id));
    const manual = rows.filter((row) => row.has_manual_changes);
    const { created, updated, skipped, warnings } = told.stats;
    assert.deepEqual([created, updated], [0, 0], "nothing is left to do");
    assert.deepEqual([skipped, warnings], [ids.size - manual.length, manual.length]);
    assert.ok(
      manual.every((row) => row.warning !== null),
      "each one says why it was left alone",
    );
  }
}

async function sampleMemory(lengthMs: number): Promise<number[]> {
  const { pid } = workerOf(stateDir);
  const samples: number[] = [];
  const end = Date.now() + lengthMs;
  while (Date.now() < end) {
    samples.push(residentBytes(pid));
    await sleep(kSampleMs);
  }
  return samples;
}

const kGrowthLimitBytes = 24 * 1024 * 1024;

/** The second half of the time needs hardly more memory than the first came to. */
function assertFlat(samples: readonly number[], tell: (text: string) => void): void {
  const quarter = Math.floor(samples.length / 4);
  const medians = range(4).map((at) => median(samples.slice(at * quarter, (at + 1) * quarter)));
  tell(`resident, median of each quarter: ${medians.map(megabytes).join(", ")}`);
  const growth = (medians[3] ?? 0) - (medians[1] ?? 0);
  assert.ok(growth < kGrowthLimitBytes, `${megabytes(growth)} more in the second half`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
