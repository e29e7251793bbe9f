// Pairs whose source lost properties, and what a sync makes of the rows tied to them.

import assert from "node:assert/strict";
import type { Client } from "./client.ts";
import { assertProblem, type Data, type Place, type TargetProperty } from "./rows.ts";
import { place, sourcePath, sourceRow, sourceRows, targetPath, targetRows } from "./world.ts";

/** How the warning of an edited row begins whose source property is gone. */
export const kRemovedWarning = /^Source property was removed but target has manual modifications/;

export const kConflictWarning = /^Source has changes but target has manual modifications/;

/** Removes these properties of the source, one by one. */
export async function removeProperties(
  client: Client,
  source: Place,
  ...ids: readonly string[]
): Promise<void> {
  for (const id of ids) {
    (await client.delete(sourcePath(await sourceRow(client, source, id)))).expect(200);
  }
}

/** Asserts that a row is nowhere to be seen, and that its target does not count it. */
export async function assertHidden(
  client: Client,
  target: Place,
  row: TargetProperty,
): Promise<void> {
  const path = targetPath(row);
  for (const hidden of [path, `${path}/snapshots`]) assertProblem(await client.get(hidden), 404);
  assertProblem(await client.patch(path, { data: { v: 1 } }), 404);
  const list = `/targets/${target.id}/properties`;
  const id = encodeURIComponent(row.external_id);
  const flag = `has_manual_changes=${row.has_manual_changes}`;
  for (const query of [
    `external_id=${id}`,
    flag,
    "updated_since=2020-01-01T00:00:00Z",
    "limit=9",
  ]) {
    const rows = (await client.get(`${list}?${query}`)).expect(200).json<TargetProperty[]>();
    assert.ok(!rows.some((one) => one.id === row.id), query);
  }
  await assertCounted(client, target);
}

/** Asserts that the target's property_count is the number of rows that its list shows. */
export async function assertCounted(client: Client, target: Place): Promise<TargetProperty[]> {
  const rows = await targetRows(client, target);
  const { property_count } = await place(client, `/targets/${target.id}`);
  assert.equal(property_count, rows.length, "property_count counts what is not hidden");
  return rows;
}

/** What decides about a row, in one line for comparisons. */
export function state(row: TargetProperty): [Data, number, string, boolean, boolean] {
  return [row.data, row.version, row.sync_status, row.has_manual_changes, row.warning !== null];
}

/** The number of live properties, which a sync's classes must add up to. */
export async function liveCount(client: Client, source: Place): Promise<number> {
  const rows = await sourceRows(client, source);
  return rows.filter((row) => row.removed_at === null).length;
}
