// What the loads of the fault tests work on: sources of several shapes that feed one target, and
// the rows of it that are edited.

import { DatabaseSync } from "node:sqlite";
import type { Client } from "../contract/client.ts";
import type { Place } from "../contract/rows.ts";
import { createSource, createTarget, range, targetRows } from "../contract/world.ts";
import { type ImportSet, importSet, type Ledger } from "./ledger.ts";
import { assertKept, type Unacknowledged } from "./ledger_check.ts";
import type { Load } from "./load.ts";
import { assertSound } from "./store_check.ts";

export interface SceneOptions {
  readonly editors: number;
  /** Further sets, which are imported and synced like the others. */
  readonly sets?: (client: Client, target: Place) => Promise<readonly ImportSet[]>;
}

/** Of a set. */
const kEditedRows = 8;

/** Everything is imported and synced once, so that all counts are known from here on. */
export async function prepareScene(
  load: Load,
  client: Client,
  options: SceneOptions,
): Promise<Place> {
  const target = await createTarget(client);
  const both = await createSource(client);
  const sets = [
    importSet(both, target, "edited", 60),
    importSet(both, target, "plain", 500),
    importSet(await createSource(client), target, "full", 200, { full: true }),
    ...((await options.sets?.(client, target)) ?? []),
  ];
  load.ledger.sets.push(...sets);
  for (const set of sets) await load.importNext(set);
  for (const source of new Set(sets.map((set) => set.source))) await load.syncNow(source, target);
  const rows = await targetRows(client, target);
  for (const row of rows.filter(({ external_id }) => isEdited(external_id))) {
    for (const editor of range(options.editors)) {
      load.ledger.edits.push({ row, field: `editor${editor}`, acknowledged: 0, attempted: 0 });
    }
  }
  return target;
}

function isEdited(externalId: string): boolean {
  const [prefix, place] = externalId.split("-");
  return (prefix === "edited" || prefix === "full") && Number(place) < kEditedRows;
}

/** Asserts that the SQLite file is sound and holds what the ledger says. */
export function assertStore(file: string, ledger: Ledger, when: string): Unacknowledged {
  const store = new DatabaseSync(file);
  try {
    assertSound(store);
    return assertKept(store, ledger);
  } catch (error) {
    throw new Error(`${when}: ${error instanceof Error ? error.message : error}`, { cause: error });
  } finally {
    store.close();
  }
}
