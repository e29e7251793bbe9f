// api.md section 3: an import decides by its items, not by its size. The same random items go into
// a source by themselves, and into another among tens of thousands that it has already.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Client } from "./client.ts";
import type { ImportAnswer, Place, SourceProperty } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  importAnswer,
  newClient,
  place,
  range,
  snapshots,
  sourcePath,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

const kPropertyLimit = 512 * 1024;
/** More identities than an import keeps in memory, in several parts. */
const kCrowd = range(52_000).map((id) => `{"id":"crowd${id}"}`);
const kSeeds = [1, ...(process.env["HISTORY_SEED"] ?? "").split(",").filter(Boolean)];

/** Numbers in [0, limit) that repeat themselves for a seed (a Lehmer generator). */
function dice(seed: number): (limit: number) => number {
  let state = (seed * 7_919) % 2_147_483_647;
  return (limit) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
}

function randomItem(below: (limit: number) => number, strays: boolean): string {
  const id = `p${below(14)}`;
  switch (below(strays ? 14 : 11)) {
    case 0:
      return `{"id":"${id}","text":"${"x".repeat(kPropertyLimit)}"}`;
    case 1:
      return `{"id":"${id}","v":1e999}`;
    case 11:
      return `{"v":${below(3)}}`;
    case 12:
      return '{"id":null}';
    case 13:
      return "[]";
    default:
      return `{"id":"${id}","v":${below(3)}}`;
  }
}

/** The list with the crowd around its items, and where each of its items stands then. */
function among(items: readonly string[]): { list: string[]; places: number[] } {
  const list: string[] = [];
  const places: number[] = [];
  const step = Math.floor(kCrowd.length / (items.length + 1));
  for (const [at, one] of kCrowd.entries()) {
    const item = items[at / step - 1];
    if (at % step === 0 && item !== undefined) places.push(list.push(item) - 1);
    list.push(one);
  }
  assert.equal(places.length, items.length);
  return { list, places };
}

async function importList(
  client: Client,
  source: Place,
  list: readonly string[],
  mode: string,
): Promise<ImportAnswer> {
  const raw = `{"data":[${list.join(",")}]}`;
  const path = `/sources/${source.id}/import?mode=${mode}&force=true`;
  return importAnswer(await client.post(path, undefined, { raw }));
}

async function shown(client: Client, source: Place, crowd: number): Promise<unknown> {
  const { property_count } = await place(client, `/sources/${source.id}`);
  const ids = range(14).map(async (id) => {
    const path = `/sources/${source.id}/properties?external_id=p${id}`;
    const [row] = (await client.get(path)).expect(200).json<SourceProperty[]>();
    if (row === undefined) return [];
    const kept = await snapshots(client, sourcePath(row));
    const versions = kept.map((snapshot) => [snapshot.version, snapshot.data]);
    return [row.external_id, row.data, row.version, row.removed_at !== null, versions];
  });
  return [property_count - crowd, await Promise.all(ids)];
}

for (const seed of kSeeds) {
  test(`large: random items ${seed} count and end as they do in a small import`, async () => {
    const client = await newClient(server);
    const below = dice(Number(seed));
    const [small, large] = [await createSource(client), await createSource(client)];
    await importList(client, large, kCrowd, "upsert");
    for (const round of range(4)) {
      const strays = below(3) === 0;
      const items = range(below(25)).map(() => randomItem(below, strays));
      const mode = below(2) === 0 ? "upsert" : "full";
      const { list, places } = among(items);
      const alone = await importList(client, small, items, mode);
      const crowded = await importList(client, large, list, mode);
      const { skipped, ...stats } = crowded.stats;
      const told = `round ${round}, ${mode}: ${items.map((one) => one.slice(0, 40)).join()}`;
      assert.deepEqual({ ...stats, skipped: skipped - kCrowd.length }, alone.stats, told);
      assert.deepEqual(
        crowded.errors.map((error) => [error.index, error.external_id]),
        alone.errors.map((error) => [places[error.index], error.external_id]),
        told,
      );
      assert.deepEqual(
        await shown(client, large, kCrowd.length),
        await shown(client, small, 0),
        told,
      );
    }
  });
}
