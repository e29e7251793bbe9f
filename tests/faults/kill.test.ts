// `kill -9` at random moments under load: what was acknowledged is there, what was not is there
// wholly or not at all. Read from the store as the crash left it, then asked of the server. A kill
// that interrupts no import and no edit proves nothing, and does not count.
//
//   FAULTS_SEED   the seed of a run to repeat; it is printed
//   FAULTS_KILLS  how often something is to be interrupted, in place of 20

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../contract/client.ts";
import { nightAfter, wake } from "../contract/scheduled.ts";
import { createSource, newClient } from "../contract/world.ts";
import { importSet } from "./ledger.ts";
import { Load } from "./load.ts";
import { chosenSeed, Random } from "./random.ts";
import { assertStore, prepareScene } from "./scene.ts";
import { unreferencedData } from "./store_check.ts";
import { Victim } from "./victim.ts";

const kKills = Number(process.env["FAULTS_KILLS"] || 20);
/** One crash in so many takes the supervisor, too. */
const kEverythingOneIn = 6;
/** One crash in so many comes while a large import, nearly alone, has staged a part of itself. */
const kLoneOneIn = 3;
/** The others come after so many acknowledged requests at most, and all after a moment more. */
const kMostRequests = 60;
const kMomentMs = 40;
/** Of so many kills for each that counts. */
const kMostKills = 3 * kKills;
/** Bounds for what hangs. No slow machine comes near them. */
const kStateTimeoutMs = 120_000;
const kTimeoutMs = 600_000 + kKills * 60_000;
const kSettleMs = 100;
const kEditors = 2;
/** A night by which every lease has passed, and no snapshot is old. */
const kNights = 2;
/** More identities than one part takes, so that they are staged; few of the items change. */
const kLargeItems = 25_500;
const kLarge = { stride: 40, paddingBytes: 0 };

const seed = chosenSeed();
const title = `crashes: ${kKills} kills under load lose and halve nothing (FAULTS_SEED=${seed})`;
test(title, { timeout: kTimeoutMs }, async (t) => {
  const random = new Random(seed);
  const victim = await Victim.start();
  const { key } = await newClient(victim.server);
  const crowd = new Load(() => new Client(victim.server.origin, key), random);
  const few = crowd.beside();
  try {
    await prepareScene(crowd, new Client(victim.server.origin, key), {
      editors: kEditors,
      sets: async (client, target) => [
        importSet(await createSource(client), target, "large", kLargeItems, kLarge),
      ],
    });
    startCrowd(crowd, random);
    startFew(few, random);
    const tally = { interrupted: 0, kept: 0, absent: 0, staged: 0 };
    const began = Date.now();
    let kill = 0;
    for (; tally.interrupted < kKills; kill += 1) {
      assert.ok(kill < kMostKills, `of ${kill} kills ${tally.interrupted} interrupted something`);
      few.resume();
      const lone = kill % kLoneOneIn === 0;
      if (!lone) crowd.resume();
      if (lone) await victim.copy.untilStaged(kStateTimeoutMs);
      else await crowd.progress(random.between(0, kMostRequests), kStateTimeoutMs);
      await sleep(random.between(0, kMomentMs));
      crowd.hold();
      few.hold();
      const settle = async (): Promise<void> => {
        await Promise.all([crowd.quiet(kSettleMs), few.quiet(kSettleMs)]);
      };
      const inspect = (store: string): void => {
        const { kept, absent } = assertStore(store, crowd.ledger, `after kill ${kill + 1}`);
        tally.kept += kept;
        tally.absent += absent;
        if (kept + absent > 0) tally.interrupted += 1;
        tally.staged = stagedImports(store);
      };
      const everything = kill % kEverythingOneIn === kEverythingOneIn - 1;
      await victim.crash(everything ? "everything" : "worker", settle, inspect);
    }
    await Promise.all([crowd.finish(), few.finish()]);
    assertStore(victim.copy.take(), crowd.ledger, "at the end");
    await wake(victim.server.origin, nightAfter(kNights));
    assertStore(victim.copy.take(), crowd.ledger, "after a night");
    assertNothingLeft(victim.copy.file);
    assert.ok(tally.absent > 0, "some were interrupted before their commit");
    assert.ok(tally.staged > 0, "some had staged a part");
    t.diagnostic(`${kill} kills, ${((Date.now() - began) / kill).toFixed(0)} ms each`);
    t.diagnostic(`acknowledged, and not: ${JSON.stringify(crowd.counts)}`);
    t.diagnostic(`imports and edits under way at a kill: ${JSON.stringify(tally)}`);
  } finally {
    crowd.abandon();
    few.abandon();
    await victim.stop();
  }
});

function startFew(load: Load, random: Random): void {
  const { sets, edits } = load.ledger;
  const large = sets.filter((set) => set.prefix === "large");
  for (const set of large) load.start(() => load.importNext(set));
  const own = edits.filter((edit) => edit.field === "editor0");
  load.start(() => load.edit(random.pick(own)));
}

function startCrowd(load: Load, random: Random): void {
  const { sets, edits } = load.ledger;
  load.hold();
  for (const set of sets.filter(({ prefix }) => prefix !== "large")) {
    load.start(() => load.importNext(set));
  }
  const own = edits.filter((edit) => edit.field === "editor1");
  load.start(() => load.edit(random.pick(own)));
  for (const set of sets.slice(1)) load.start(() => load.syncNow(set.source, set.target));
  load.start(() => load.read(random.pick(sets).source));
  let made = 0;
  load.start(async () => {
    made += 1;
    const source = await load.create("sources", `made ${made}`);
    const target = await load.create("targets", `made ${made}`);
    if (source === null || target === null) return;
    const set = importSet(source, target, `made${made}`, 100);
    load.ledger.sets.push(set);
    await load.importNext(set);
    await load.syncNow(source, target);
    await sleep(random.between(0, 500));
  });
}

/** The night drops what crashes have left behind, and nothing else. */
function assertNothingLeft(file: string): void {
  assert.equal(stagedImports(file), 0, "what was staged is gone");
  const store = new DatabaseSync(file);
  assert.deepEqual(unreferencedData(store), [], "and so is its data");
  store.close();
}

/** How many large imports have left something behind. */
function stagedImports(file: string): number {
  const store = new DatabaseSync(file);
  const row = store.prepare("SELECT count(DISTINCT import_id) AS n FROM staging").get();
  store.close();
  return Number(row?.["n"]);
}
