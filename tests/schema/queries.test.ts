// Every statement of the product, on the real engine: it prepares, it stays within its tenant, it uses an index.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { readQueries } from "../../schema/queries.mjs";
import { scansOf } from "./scans.ts";

interface Query {
  readonly name: string;
  readonly word?: string;
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly row: { readonly columns: readonly Column[] } | undefined;
}
interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

const root = resolve(import.meta.dirname, "../..");
const queries: readonly Query[] = readQueries().map((query) => ({
  ...query,
  sql: String(query.texts["sqlite"]),
}));
const db = new DatabaseSync(":memory:");
for (const file of readdirSync(join(root, "schema/sqlite")).sort()) {
  db.exec(readFileSync(join(root, "schema/sqlite", file), "utf8"));
}

const kNoTenant: Readonly<Record<string, string>> = {
  key_owner: "it finds the tenant by the key",
  tenant_added: "the tenant is what it makes",
  store_ready: "it reads no tenant's table",
  store_probed: "it writes no tenant's table",
  ids_reserved: "ids are handed out for all tenants",
  due_slots: "a wake looks for work of all tenants",
  dead_runs: "a wake looks for work of all tenants",
  deleted_connectors: "a wake looks for work of all tenants",
};

function label(query: Query): string {
  return query.word === undefined ? query.name : `${query.name} (${query.word})`;
}

const tenantTables = new Set(
  db
    .prepare(
      `SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
       WHERE m.type = 'table' AND c.name = 'tenant_id'`,
    )
    .all()
    .map((row) => String(row["name"])),
);

test("schema: every query prepares", () => {
  assert.ok(queries.length > 80, `${queries.length} queries`);
  for (const query of queries) {
    assert.doesNotThrow(() => db.prepare(query.sql), label(query));
  }
});

// Columns that the schema lets be null, and the query does not.
const kNeverNull: Readonly<Record<string, string>> = {
  "due_slots: next_due": "it reads those that are due",
  "log_figures: stats": "it reads a clean-up's row, which began with them",
  "sync_logged (all): stats": "it has just written them",
  "sync_logged (changed): stats": "it has just written them",
};

test("schema: a query gives the columns that its signature names, in their order and type", () => {
  const nullable = db.prepare(
    `SELECT c."notnull" = 0 AND c.pk = 0 AS nullable FROM sqlite_schema t JOIN pragma_table_info(t.name) c
     WHERE t.name = ? AND c.name = ?`,
  );
  for (const query of queries) {
    const given = db.prepare(query.sql).columns();
    const named = query.row?.columns ?? [];
    assert.deepEqual(
      given.map(({ name }) => name),
      named.map(({ name }) => name),
      label(query),
    );
    for (const [index, { name, type, nullable: mayBeNull }] of named.entries()) {
      const { type: stored, table, column } = given[index]!;
      const what = `${label(query)}: ${name}`;
      // Of an expression SQLite knows no type.
      if (stored !== null) assert.equal(stored, type === "text" ? "TEXT" : "INTEGER", what);
      if (table === null || column === null || mayBeNull || what in kNeverNull) continue;
      assert.notEqual(nullable.get(table, column)?.["nullable"], 1, `${what} may be null`);
    }
  }
});

/** Each use of a tenant's table in a statement, with the name under which its columns are reached. */
function uses(sql: string): { table: string; alias: string; written: boolean }[] {
  const found = [];
  const pattern = /\b(FROM|JOIN|INTO|UPDATE)\s+(\w+)(?:\s+INDEXED BY \w+)?(?:\s+(?:AS\s+)?(\w+))?/g;
  const keywords = new Set([
    "ON",
    "WHERE",
    "SET",
    "CROSS",
    "LEFT",
    "ORDER",
    "GROUP",
    "SELECT",
    "VALUES",
    "LIMIT",
  ]);
  for (const [, verb, table, alias] of sql.matchAll(pattern)) {
    if (table === undefined || !tenantTables.has(table)) continue;
    const name = alias === undefined || keywords.has(alias) ? table : alias;
    found.push({ table, alias: name, written: verb === "INTO" });
  }
  return found;
}

test("schema: every statement on a tenant's table binds tenant_id, wherever it names one", () => {
  let checked = 0;
  for (const query of queries) {
    if (query.name in kNoTenant) continue;
    const bound = /(?:(\w+)\.)?tenant_id = CAST\(\?\d+ AS INTEGER\)/g;
    const names = [...query.sql.matchAll(bound)].map(([, alias]) => alias ?? "");
    for (const use of uses(query.sql)) {
      checked++;
      if (use.written) {
        assert.match(
          query.sql,
          /INSERT INTO \w+ (?:AS \w+ )?\([^)]*tenant_id/,
          `${label(query)}: ${use.table}`,
        );
        continue;
      }
      const plain = names.includes("");
      assert.ok(
        names.includes(use.alias) || (plain && use.alias === use.table),
        `${label(query)} does not bind the tenant of ${use.table} ${use.alias}:\n${query.sql}`,
      );
    }
  }
  assert.ok(checked > 150, `${checked} uses`);
});

test("schema: the checker sees a statement that forgets its tenant", () => {
  const [use] = uses("SELECT 1 FROM source_properties p WHERE p.source_id = ?1");
  assert.deepEqual(use, { table: "source_properties", alias: "p", written: false });
  assert.deepEqual(uses("SELECT 1 FROM counters"), []);
});

test("schema: every query is used by the core", () => {
  const sources = readdirSync(join(root, "core"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".cc"))
    .map((name) => readFileSync(join(root, "core", name), "utf8"))
    .join("\n");
  for (const { name } of queries) assert.match(sources, new RegExp(`store::${name}\\b`), name);
});

// Tables that hold the same few rows however many tenants there are.
const kConstantTables = new Set(["counters", "guard"]);

test("schema: no statement scans a table or an index that grows with the tenants", () => {
  for (const query of queries) {
    const scans = scansOf(db, query.sql).filter((name) => !kConstantTables.has(name));
    assert.deepEqual(scans, [], `${label(query)} reads them from end to end:\n${query.sql}`);
  }
});

test("schema: the checker sees a scan behind an alias, a join, a subquery, a count and a cascade", () => {
  const scanning: readonly (readonly [string, ...string[]])[] = [
    ["SELECT 1 FROM source_properties p WHERE p.version = ?1", "source_properties"],
    ["SELECT 1 FROM sync_logs l WHERE l.status = ?1 ORDER BY l.tenant_id DESC", "sync_logs"],
    ["SELECT count(*) FROM targets", "targets_tenant"],
    ["SELECT 1 FROM json_each(?1) j JOIN sources s ON s.name = j.value", "sources"],
    ["SELECT 1 WHERE ?1 IN (SELECT x.external_id FROM orphans x)", "orphans"],
    ["DELETE FROM tenants WHERE id = ?1", "sealed_secrets", "secrets"],
  ];
  for (const [sql, ...names] of scanning) assert.deepEqual(scansOf(db, sql), names, sql);
  const seeking = [
    "SELECT 1 FROM source_properties p WHERE p.source_id = ?1 AND p.external_id = ?2",
    "SELECT max(id) FROM sync_logs WHERE tenant_id = ?1",
    "SELECT id FROM runs WHERE state = 'running' AND lease_until <= ?1 ORDER BY lease_until",
  ];
  for (const sql of seeking) assert.deepEqual(scansOf(db, sql), [], sql);
});
