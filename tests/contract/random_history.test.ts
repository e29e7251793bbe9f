// api.md sections 3 and 4 under random histories: two sources, a target and a hand that edits it,
// compared with history_model.ts after every step. `HISTORY_SEED` in the environment adds a seed.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Client } from "./client.ts";
import { ModelSource, ModelTarget } from "./history_model.ts";
import { importWith } from "./imports.ts";
import { assertCounted } from "./removed_rows.ts";
import type { Place } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  createTarget,
  newClient,
  place,
  range,
  sourcePath,
  sourceRows,
  syncOnce,
  targetPath,
  targetRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kSteps = 60;
const kIds = range(7).map((id) => `p${id}`);
const kSeeds = [11, ...(process.env["HISTORY_SEED"] ?? "").split(",").filter(Boolean)];

/** A generator of numbers in [0, 1) that repeats itself for a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Side {
  readonly place: Place;
  readonly model: ModelSource;
}

class History {
  private readonly client: Client;
  private readonly random: () => number;
  private readonly sources: Side[] = [];
  private readonly target: Place;
  private readonly model = new ModelTarget();
  readonly steps: string[] = [];

  private constructor(client: Client, random: () => number, target: Place) {
    this.client = client;
    this.random = random;
    this.target = target;
  }

  static async begin(client: Client, seed: number): Promise<History> {
    const history = new History(client, randomFrom(seed), await createTarget(client));
    for (const at of [0, 1]) await history.renewSource(at);
    return history;
  }

  async step(): Promise<void> {
    const dice = this.below(100);
    if (dice < 26) await this.importSome("upsert");
    else if (dice < 38) await this.importSome("full");
    else if (dice < 46) await this.removeOne();
    else if (dice < 66) await this.edit();
    else if (dice < 94) await this.sync();
    else if (dice < 97) await this.configure();
    else if (dice < 98) await this.renewSource(this.below(2));
    else await this.cleanUp();
    await this.compare();
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  private side(): Side {
    return this.sources[this.below(2)] ?? assert.fail();
  }

  private async importSome(mode: "upsert" | "full"): Promise<void> {
    const { place: source, model } = this.side();
    const items = new Map<string, number>();
    for (const id of kIds) if (this.below(3) > 0) items.set(id, this.below(3));
    const list = [...items].map(([id, v]) => ({ id, v }));
    this.steps.push(`import ${mode} into ${source.id}: ${JSON.stringify(list)}`);
    const told = await importWith(this.client, source, `mode=${mode}`, list);
    assert.deepEqual(told.stats, model.importItems(items, mode));
  }

  private async removeOne(): Promise<void> {
    const { place: source, model } = this.side();
    const rows = await sourceRows(this.client, source);
    const row = rows[this.below(rows.length)];
    if (row === undefined) return;
    this.steps.push(`remove ${row.external_id} of ${source.id}`);
    (await this.client.delete(sourcePath(row))).expect(200);
    const property = model.properties.get(row.external_id);
    if (property !== undefined) property.removed = true;
  }

  private async edit(): Promise<void> {
    const rows = await targetRows(this.client, this.target);
    const row = rows[this.below(rows.length)];
    if (row === undefined) return;
    const v = this.below(4);
    this.steps.push(`edit ${row.external_id}: ${v}`);
    (await this.client.patch(targetPath(row), { data: { v } })).expect(200);
    this.model.edit(row.external_id, v);
  }

  private async sync(): Promise<void> {
    const { place: source, model } = this.side();
    this.steps.push(`sync ${source.id}`);
    const { stats } = await syncOnce(this.client, source, this.target);
    assert.deepEqual(stats, this.model.sync(model));
    const { created, updated, skipped, warnings } = stats;
    assert.equal(created + updated + skipped + warnings, model.liveCount());
  }

  private async configure(): Promise<void> {
    this.model.sourceWins = this.below(4) === 0;
    this.model.hides = this.below(2) === 0;
    const config = {
      conflict_policy: this.model.sourceWins ? "source_wins" : "skip",
      on_removed: this.model.hides ? "delete" : "keep",
    };
    this.steps.push(`configure ${JSON.stringify(config)}`);
    (await this.client.patch(`/targets/${this.target.id}`, { config })).expect(200);
  }

  /** Deletes the source, where there is one, and puts an empty one in its place. */
  private async renewSource(at: number): Promise<void> {
    const old = this.sources[at];
    if (old !== undefined) {
      (await this.client.delete(`/sources/${old.place.id}`)).expect(200);
      this.model.forget(old.model);
    }
    const source = await createSource(this.client, {}, `Source ${at}`);
    this.steps.push(`delete source ${old?.place.id}, make ${source.id}`);
    this.sources[at] = { place: source, model: new ModelSource() };
  }

  private async cleanUp(): Promise<void> {
    this.steps.push("clean up");
    (await this.client.post("/cleanup?days=0")).expect(200);
  }

  private async compare(): Promise<void> {
    const owners = new Map<ModelSource, Map<string, number>>();
    const compareSource = async ({ place: source, model }: Side): Promise<void> => {
      const [rows, { property_count }] = await Promise.all([
        sourceRows(this.client, source),
        place(this.client, `/sources/${source.id}`),
      ]);
      const shown = rows.map((row) => [
        row.external_id,
        row.data["v"],
        row.version,
        row.removed_at !== null,
      ]);
      const wanted = [...model.properties].map(([id, one]) => [
        id,
        one.v,
        one.version,
        one.removed,
      ]);
      assert.deepEqual(shown.sort(), wanted.sort());
      assert.equal(property_count, model.liveCount());
      owners.set(model, new Map(rows.map((row) => [row.external_id, row.id])));
    };
    await Promise.all(this.sources.map(compareSource));
    const rows = await assertCounted(this.client, this.target);
    const shown = rows.map((row) => [
      row.external_id,
      row.data["v"],
      row.version,
      row.sync_status,
      row.has_manual_changes,
      row.source_property_id,
    ]);
    const wanted = this.model
      .visible()
      .map(([id, row]) => [
        id,
        row.v,
        row.version,
        row.status,
        row.v !== row.base,
        (row.owner !== null && owners.get(row.owner)?.get(id)) || null,
      ]);
    assert.deepEqual(shown.sort(), wanted.sort());
    for (const row of rows) {
      const { warning, contest, owner } = this.model.rows.get(row.external_id) ?? assert.fail();
      const contested = contest !== null && owner !== null;
      if (warning === "unsure" && !contested) continue;
      assert.equal(row.warning !== null, warning !== null || contested, row.external_id);
    }
  }
}

for (const seed of kSeeds) {
  test(`history ${seed}: answers, rows and counts are the model's after every step`, async () => {
    const history = await History.begin(await newClient(server), Number(seed));
    for (const at of range(kSteps)) {
      await history.step().catch((error: unknown) => {
        const told = history.steps.slice(-25).join("\n");
        throw new Error(`seed ${seed}, step ${at}, after:\n${told}`, { cause: error });
      });
    }
  });
}
