// Every statement of the product on PostgreSQL: the schema is SQLite's, each statement prepares there, takes the
// parameters and gives the columns of its signature, and none reads a table from end to end.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { lacking, readQueries } from "../../schema/queries.mjs";
import { sqliteWithSchema } from "./engines.ts";
import { kFill, planOf, productsOf, scansOf } from "./plans.ts";
import { startPostgres } from "./postgres.ts";

interface Query {
  readonly name: string;
  readonly word?: string;
  readonly params: readonly { readonly type: string }[];
  readonly row?: { readonly columns: readonly { readonly name: string; readonly type: string }[] };
  readonly texts: { readonly postgres: string };
}

const schema = resolve(import.meta.dirname, "../../schema");
const queries = readQueries() as Query[];
const postgres = await startPostgres();
after(() => postgres.stop());
const session = await postgres.createDatabase("statements");

const filled = await postgres.createDatabase("filled");
await filled.query("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off");
await filled.query(kFill);

const label = ({ name, word }: Query) => (word === undefined ? name : `${name} (${word})`);

/** The schema of either engine in one form: a row for each column, key, index and reference. */
const kSqliteSchema = `
  SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'INTEGER' THEN 'bigint' ELSE 'text' END
    || CASE WHEN c."notnull" OR c.pk THEN ' not null' ELSE '' END
    || coalesce(' default ' || replace(c.dflt_value, '''', ''), '') AS line
  FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'
  UNION ALL
  SELECT m.name || ' key ' || (SELECT string_agg(c.name, ',' ORDER BY c.pk) FROM pragma_table_info(m.name) c WHERE c.pk)
  FROM sqlite_schema m WHERE m.type = 'table' AND m.name <> 'guard'
  UNION ALL
  SELECT m.name || CASE i.origin WHEN 'u' THEN ' unique' ELSE ' ' || i.name || CASE WHEN i."unique" THEN ' unique' ELSE '' END END
    || ' ' || (SELECT string_agg(c.name, ',' ORDER BY c.seqno) FROM pragma_index_info(i.name) c)
    || CASE WHEN i.partial THEN
      ' where ' || (SELECT substr(x.sql, instr(x.sql, 'WHERE ') + 6) FROM sqlite_schema x WHERE x.name = i.name) ELSE '' END
  FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin <> 'pk'
  UNION ALL
  SELECT m.name || '.' || f."from" || ' references ' || f."table" || ' ' || lower(f.on_delete)
  FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`;

const kColumnsOf = `(SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number)`;
const kPostgresSchema = `
  SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
    || coalesce(' default ' || replace(replace(column_default, '::bigint', ''), '''', ''), '') AS line
  FROM information_schema.columns WHERE table_schema = 'public'
  UNION ALL
  SELECT t.relname || CASE
      WHEN i.indisprimary THEN ' key'
      WHEN n.conname IS NOT NULL THEN ' unique'
      ELSE ' ' || x.relname || CASE WHEN i.indisunique THEN ' unique' ELSE '' END END
    || ' ' || ${kColumnsOf} || coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid, true), '')
  FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
  LEFT JOIN pg_constraint n ON n.conindid = i.indexrelid AND n.contype = 'u'
  WHERE t.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT conrelid::regclass || '.' || (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1])
    || ' references ' || confrelid::regclass || CASE confdeltype WHEN 'c' THEN ' cascade' ELSE ' no action' END
  FROM pg_constraint WHERE contype = 'f'`;

/** The lines of a schema. PostgreSQL names the types of literals, and has no integers as conditions. */
function linesOf(rows: readonly object[]): string[] {
  return rows
    .map((row) => (row as { line: string }).line)
    .map((line) =>
      line.replaceAll("::text", "").replace("has_manual_changes = 1", "has_manual_changes"),
    )
    .sort();
}

test("schema: both engines have the same migrations, columns, keys, indexes and references", async () => {
  const [ours, theirs] = ["sqlite", "postgres"].map((name) =>
    readdirSync(join(schema, name)).sort(),
  );
  assert.deepEqual(theirs, ours);
  const expected = linesOf(sqliteWithSchema().prepare(kSqliteSchema).all());
  assert.ok(expected.length > 150, `${expected.length} lines`);
  assert.deepEqual(linesOf((await session.query(kPostgresSchema)).rows), expected);
});

test("schema: on PostgreSQL, too, texts compare byte by byte", async () => {
  const { rows } = await session.query(
    `SELECT c.table_name || '.' || c.column_name AS name FROM information_schema.columns c
     WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'`,
  );
  assert.deepEqual(rows, []);
});

test("schema: every query has a text for PostgreSQL, which prepares with the parameters of its signature", async () => {
  assert.deepEqual(lacking(queries, "postgres"), []);
  for (const [number, query] of queries.entries()) {
    await session.query(`PREPARE s${number} AS ${query.texts.postgres}`);
    const { rows } = await session.query(
      "SELECT array_to_json(parameter_types::text[]) AS types FROM pg_prepared_statements WHERE name = $1",
      [`s${number}`],
    );
    const types = query.params.map(({ type }) => (/^(text|pack)$/.test(type) ? "text" : "bigint"));
    assert.deepEqual(rows[0].types, types, label(query));
  }
});

const ofNumbers = (line: string) => line.replace(/\|(bigint|integer)$/, "|number");

test("schema: on PostgreSQL, too, a query gives the columns of its signature, in their order and type", async () => {
  const script = queries.flatMap((query) => [
    `\\echo @${label(query)}`,
    `${query.texts.postgres.replace(/\$\d+/g, "NULL")} \\gdesc`,
  ]);
  const psql = promisify(execFile)(
    "psql",
    [
      "-h",
      postgres.host,
      "-U",
      postgres.user,
      "-d",
      "statements",
      "-XAtq",
      "-v",
      "ON_ERROR_STOP=1",
    ],
    { maxBuffer: 1 << 24 },
  );
  psql.child.stdin?.end(script.join("\n"));
  const described = new Map(
    (await psql).stdout.split(/^@/m).map((block) => {
      const [name = "", ...columns] = block.split("\n");
      return [name, columns.filter((line) => line.includes("|")).map(ofNumbers)] as const;
    }),
  );
  for (const query of queries) {
    const columns = (query.row?.columns ?? []).map(
      ({ name, type }) => `${name}|${type === "text" ? "text" : "number"}`,
    );
    assert.deepEqual(described.get(label(query)), columns, label(query));
  }
});

for (const counted of [false, true]) {
  const when = counted ? "has counted the rows" : "has not counted the rows yet";
  test(`schema: where PostgreSQL ${when}, no statement reads all of a table, or compares each row with each`, async () => {
    if (counted) await filled.query("ANALYZE");
    for (const [number, query] of queries.entries()) {
      const name = `s${number}_${counted}`;
      const plan = await planOf(filled, name, query.texts.postgres, query.params.length);
      assert.deepEqual(scansOf(plan), [], `${label(query)} reads them from end to end`);
      assert.deepEqual(productsOf(plan), [], `${label(query)} compares each with each`);
    }
  });
}

test("schema: the checkers see a scan, one of an index, and a product", async () => {
  const all = await planOf(
    filled,
    "all_rows",
    "SELECT 1 FROM source_properties WHERE version = $1",
    1,
  );
  assert.deepEqual(scansOf(all), ["source_properties"]);
  const joined = "SELECT 1 FROM runs r JOIN sources s ON s.name > r.checkpoint";
  const product = await planOf(filled, "product", joined, 0);
  assert.deepEqual(productsOf(product), ["(s.name > r.checkpoint)"]);
});
