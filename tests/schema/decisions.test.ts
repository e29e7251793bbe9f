// The decision table of a sync (core/sync/classes.json), walked on the real statements: a row in every state that it could
// be in, whether or not an operation leads there.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { readDecisions } from "../../schema/decisions.mjs";
import { readQueries } from "../../schema/queries.mjs";

const root = resolve(import.meta.dirname, "../..");
const { warnings, classes } = readDecisions();

const kTenant = 1;
/**
 * The source that is synced, one that has every property, one that has none, and one that has every property but was
 * deleted: its rows are yet to go.
 */
const kThis = 1;
const kOther = 2;
const kEmpty = 3;
const kDeleted = 4;
const kSameHash = "s";
const kOtherHash = "x";
const kSourceData = 1;
const kOtherData = 2;

/** What a source property and the row of its external id may be. */
interface State {
  readonly removed: boolean;
  readonly row: Row | undefined;
}
interface Row {
  readonly owner: number | null;
  readonly hidden: boolean;
  readonly hash: string;
  readonly baseIsSource: boolean;
  readonly edited: boolean;
  readonly accepted: boolean;
  readonly warning: string | null;
  readonly status: string;
  readonly contestedBy: number | null;
}

function* everyState(): Generator<State> {
  const flags = [false, true];
  for (const removed of flags) {
    yield { removed, row: undefined };
    for (const owner of [null, kThis, kOther, kEmpty, kDeleted])
      for (const contestedBy of [null, kThis, kOther, kEmpty, kDeleted])
        for (const hidden of flags)
          for (const hash of [kSameHash, kOtherHash])
            for (const baseIsSource of flags)
              for (const edited of flags)
                for (const accepted of flags)
                  for (const warning of [null, ...Object.values<string>(warnings)])
                    for (const status of ["synced", "manual", "conflict", "removed"])
                      yield {
                        removed,
                        row: {
                          owner,
                          hidden,
                          hash,
                          baseIsSource,
                          edited,
                          accepted,
                          warning,
                          status,
                          contestedBy,
                        },
                      };
  }
}

const states = [...everyState()];
const keyOf = (at: number) => String(at).padStart(6, "0");

/** The facts of the table, told of a state without SQL. */
function factsOf({ removed, row }: State, policy: string): Record<string, boolean> {
  return {
    removed,
    absent: row === undefined,
    hidden: row?.hidden === true,
    tied: row?.owner === kThis && !row.hidden,
    marked: row?.status === "removed",
    contesting: row?.contestedBy === kThis,
    owned_elsewhere: row?.owner === kOther,
    same: row?.hash === kSameHash,
    edited: row?.edited === true,
    accepted: row?.accepted === true,
    gives_way: row?.edited === false || policy === "source_wins",
    unchanged: row?.baseIsSource === true,
  };
}

/** A source by which a row is tied or contested, unless it was deleted. */
const there = (source: unknown) => (source === kDeleted ? null : source);

/** What is left of a contest for the owner: the contester takes over, or it lacks the property. */
const keptContest = ({ contestedBy }: Row) => (contestedBy === kOther ? kOther : null);

/** The marks of a row behind its class. */
function marksOf(makes: Readonly<Record<string, string>>, row: Row) {
  const contests: Record<string, number | null> = {
    none: null,
    kept: keptContest(row),
    this: keptContest(row) ?? kThis,
  };
  const { contest, owner, warning, status } = makes;
  return {
    owner: owner === "this" ? kThis : there(row.owner),
    contestedBy: contest === undefined ? there(row.contestedBy) : (contests[contest] ?? null),
    warning: warning === undefined ? row.warning : (warnings[warning] ?? null),
    status: status ?? row.status,
  };
}

/** The class of a state, and whether the row is as the class makes it: the first line that fits. */
function classOf(state: State, policy: string) {
  const facts = factsOf(state, policy);
  const line = classes.find(({ when }: { when: string[] }) =>
    when.every((fact) => facts[fact] ?? assert.fail(`the fact ${fact} is told here, too`)),
  );
  assert.ok(line !== undefined);
  const { row } = state;
  const before = row && {
    owner: there(row.owner),
    contestedBy: there(row.contestedBy),
    warning: row.warning,
    status: row.status,
  };
  const isSettled =
    row !== undefined &&
    !row.accepted &&
    !row.edited &&
    row.hash === (row.baseIsSource ? kSameHash : kOtherHash);
  const said =
    row !== undefined &&
    Object.keys(line.makes).length > 0 &&
    JSON.stringify(marksOf(line.makes, row)) === JSON.stringify(before) &&
    (line.makes.base === undefined || isSettled);
  return { line, said };
}

function expectedName(state: State, policy: string): string | null {
  const { line, said } = classOf(state, policy);
  if (line.write === undefined) return null;
  if (!said) return line.name;
  return line.counts.length === 0 ? null : `${line.name} said`;
}

function filledStore(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  for (const file of readdirSync(join(root, "schema/sqlite")).sort()) {
    db.exec(readFileSync(join(root, "schema/sqlite", file), "utf8"));
  }
  const now = "2026-01-15T10:30:00.000Z";
  db.exec(
    `INSERT INTO tenants (id, name, created_at, updated_at) VALUES (${kTenant}, 't', '${now}', '${now}')`,
  );
  for (const [table, ids] of [
    ["sources", [kThis, kOther, kEmpty, kDeleted]],
    ["targets", [1]],
  ] as const) {
    for (const id of ids) {
      db.exec(`INSERT INTO ${table} (id, tenant_id, name, type, config, created_at, updated_at)
        VALUES (${id}, ${kTenant}, 'n', 't', '{}', '${now}', '${now}')`);
    }
  }
  db.exec(`UPDATE sources SET deleted_at = '${now}' WHERE id = ${kDeleted}`);
  db.exec(`INSERT INTO sync_logs (tenant_id, id, sync_id, sync_type, status, total_properties, updated_properties,
    failed_properties, started_at) VALUES (${kTenant}, 1, 'x', 'sync', 'success', 0, 0, 0, '${now}')`);
  const datum = db.prepare(
    "INSERT INTO property_data (id, tenant_id, hash, data) VALUES (?, ?, ?, '{}')",
  );
  datum.run(kSourceData, kTenant, kSameHash);
  datum.run(kOtherData, kTenant, kOtherHash);
  const property =
    db.prepare(`INSERT INTO source_properties (tenant_id, source_id, external_id, id, hash, data_id, removed_at,
    revision, log_id, life_log, created_at, updated_at) VALUES (${kTenant}, ?, ?, ?, ?, ?, ?, 1, 1, 1, '${now}', '${now}')`);
  const target =
    db.prepare(`INSERT INTO target_properties (tenant_id, target_id, external_id, id, source_id,
    source_property_id, hash, data_id, base_data_id, accepted, has_manual_changes, manual_changes_warning, contested_by,
    sync_status, log_id, created_log, revision, deleted_at, created_at, updated_at)
    VALUES (${kTenant}, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, 1, ?, '${now}', '${now}')`);
  db.exec("BEGIN");
  for (const [at, { removed, row }] of states.entries()) {
    const id = at + 1;
    property.run(kThis, keyOf(at), id, kSameHash, kSourceData, removed ? now : null);
    for (const source of [kOther, kDeleted])
      property.run(source, keyOf(at), id + source * states.length, kOtherHash, kOtherData, null);
    if (row === undefined) continue;
    const dataId = row.hash === kSameHash ? kSourceData : kOtherData;
    target.run(
      keyOf(at),
      id,
      row.owner,
      row.owner,
      row.hash,
      dataId,
      row.baseIsSource ? kSourceData : kOtherData,
      Number(row.accepted),
      Number(row.edited),
      row.warning,
      row.contestedBy,
      row.status,
      row.hidden ? now : null,
    );
  }
  db.exec("COMMIT");
  return db;
}

interface Query {
  readonly name: string;
  readonly word?: string;
  readonly texts: { readonly sqlite: string };
  readonly params: readonly { readonly name: string }[];
}

function statement(name: string): Query {
  const query = (readQueries() as Query[]).find(
    (each) => each.name === name && each.word === "all",
  );
  assert.ok(query !== undefined, name);
  return query;
}

const parameters = (query: Query, policy: string) =>
  query.params.map(({ name }) => {
    const known: Record<string, number | string> = {
      tenant_id: kTenant,
      source_id: kThis,
      target_id: 1,
      source_since: 0,
      target_since: 0,
      policy,
      now: "now",
    };
    const value = known[name];
    assert.ok(value !== undefined, name);
    return value;
  });

/** The class of each row, as the statement that counts them works it out. */
function classesIn(db: DatabaseSync, policy: string): (string | null)[] {
  const query = statement("sync_classes");
  const counting = query.texts.sqlite.indexOf("SELECT class AS class_name");
  assert.ok(counting > 0);
  const sql = `${query.texts.sqlite.slice(0, counting)} SELECT external_id, class FROM classed ORDER BY external_id`;
  const rows = db.prepare(sql).all(...parameters(query, policy));
  assert.equal(rows.length, states.length);
  return rows.map((row) => row["class"] as string | null);
}

for (const policy of ["skip", "source_wins"]) {
  test(`decisions: a row in any state is in the class of the first line that fits, under ${policy}`, () => {
    const db = filledStore();
    const found = classesIn(db, policy);
    for (const [at, state] of states.entries()) {
      const expected = expectedName(state, policy);
      if (found[at] !== expected) assert.equal(found[at], expected, JSON.stringify(state));
    }
    db.close();
  });

  test(`decisions: a row that is marked is as its class makes it, and says so, under ${policy}`, () => {
    const db = filledStore();
    const query = statement("sync_marked");
    db.prepare(query.texts.sqlite).run(...parameters(query, policy));
    const after = classesIn(db, policy);
    const read =
      db.prepare(`SELECT source_id AS owner, contested_by AS contestedBy, manual_changes_warning AS warning,
      sync_status AS status FROM target_properties WHERE target_id = 1 AND external_id = ?`);
    for (const [at, state] of states.entries()) {
      const { line } = classOf(state, policy);
      if (line.write !== "mark" || state.row === undefined) continue;
      const { owner, contestedBy, ...others } = read.get(keyOf(at)) ?? {};
      const is = JSON.stringify({
        owner: there(owner),
        contestedBy: there(contestedBy),
        ...others,
      });
      const expected = JSON.stringify(marksOf(line.makes, state.row));
      if (is !== expected) assert.equal(is, expected, JSON.stringify(state));
      if (after[at] === null || after[at] === `${line.name} said`) continue;
      assert.fail(`${JSON.stringify(state)}: ${line.name}, then ${after[at]}`);
    }
    db.close();
  });
}

test("decisions: every class is met, and so is every row that says so", () => {
  const names = new Set(
    ["skip", "source_wins"].flatMap((policy) => states.map((state) => expectedName(state, policy))),
  );
  for (const { name, write, makes, counts } of classes) {
    if (write === undefined) continue;
    assert.ok(names.has(name), name);
    if (Object.keys(makes).length > 0 && counts.length > 0)
      assert.ok(names.has(`${name} said`), name);
  }
});

test("decisions: what counts nothing is told to nobody, and the other way round", () => {
  for (const { name, counts, action } of classes)
    assert.equal(counts.length > 0, action !== undefined, name);
});

test("decisions: README.md of core/sync names every class in the table's order, every fact and every word", () => {
  const text = readFileSync(join(root, "core/sync/README.md"), "utf8");
  const rows = [...text.matchAll(/^\| `(\w+)` \| ([^|]*?) \|/gm)].map(([, name, means]) => [
    name,
    means,
  ]);
  const listed = classes.map(({ name, means }: { name: string; means: string }) => [name, means]);
  const at = rows.findIndex(([name]) => name === listed[0]?.[0]);
  assert.deepEqual(rows.slice(at, at + listed.length), listed);
  for (const { when, write } of classes) {
    for (const word of [...when, write].filter((each) => each !== undefined))
      assert.match(text, new RegExp(`\`${word}\``), word);
  }
});
