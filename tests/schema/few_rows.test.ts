// Lists whose filters may leave few rows, on both engines: however these are found, the page is that of a list which looks
// at every row.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readQueries } from "../../schema/queries.mjs";
import { type Cell, randomFrom } from "./cleanup_model.ts";
import { sqliteWithSchema } from "./engines.ts";
import { startPostgres } from "./postgres.ts";

const postgres = await startPostgres();
after(() => postgres.stop());
const session = await postgres.createDatabase("few");
await session.query("SET session_replication_role = replica");

const texts = new Map(
  readQueries().map(({ name, texts }) => [
    name,
    { sqlite: String(texts["sqlite"]), postgres: String(texts["postgres"]) },
  ]),
);

type Run = (name: string, params: readonly Cell[]) => Promise<unknown[]>;

const kMost = 40;
/** By how many units of time a row may seem older or newer than its place in the order of revisions. */
const kSkew = 3;
const time = (at: number): string => `t${String(at).padStart(4, "0")}`;

/** The rows of a source and of a target, whose times rise with their revisions, or nearly. */
function randomStore(random: (limit: number) => number): string {
  const revision = 1 + random(12);
  const count = random(kMost);
  const rows = Array.from({ length: count }, (_, at) => {
    const changed = 1 + random(revision);
    const updated = time(100 + changed * 10 + random(2 * kSkew + 1) - kSkew);
    return { id: at * 3 + 1, external: `e${(at * 17) % kMost}`, changed, updated };
  });
  const owner = () => ["NULL", "1", "1", "1", "2"][random(5)] ?? "1";
  const status = () => (random(4) === 0 ? "removed" : "synced");
  const values = (make: (row: (typeof rows)[number]) => string): string => rows.map(make).join();
  if (count === 0) return "";
  return `
    INSERT INTO property_data VALUES ${values(({ id }) => `(${id},1,'h','{}')`)};
    INSERT INTO source_properties VALUES ${values(
      ({ id, external, changed, updated }) =>
        `(1,1,'${external}',${id},'h',${id},1,${random(3) === 0 ? "'t'" : "NULL"},${changed},1,1,'t','${updated}')`,
    )};
    INSERT INTO source_properties VALUES ${values(
      ({ id, external }) => `(1,2,'${external}',${id + 1000},'h',${id},1,NULL,1,1,1,'t','t')`,
    )};
    INSERT INTO target_properties (tenant_id, target_id, external_id, id, source_id, source_property_id, hash, data_id,
      base_data_id, sync_status, has_manual_changes, log_id, created_log, revision, deleted_at, created_at, updated_at)
    VALUES ${values(
      ({ id, external, changed, updated }) =>
        `(1,1,'${external}',${id},${owner()},1,'h',${id},${id},'${status()}',${random(2)},1,1,${changed},${random(5) === 0 ? "'t'" : "NULL"},'t','${updated}')`,
    )};
    DELETE FROM source_properties WHERE source_id = 2 AND id % ${1 + random(4)} > 0
      AND external_id NOT IN (SELECT external_id FROM target_properties WHERE source_id = 2);
    UPDATE sources SET revision = ${revision}, property_count = ${count};
    UPDATE targets SET revision = ${revision}, property_count = ${count}`;
}

const kEmpty = `
  DELETE FROM source_properties; DELETE FROM target_properties; DELETE FROM property_data;
  DELETE FROM sources; DELETE FROM targets; DELETE FROM tenants;
  INSERT INTO tenants (id, name, created_at, updated_at) VALUES (1, 'n', 't', 't');
  INSERT INTO sources (id, tenant_id, name, type, config, created_at, updated_at)
    VALUES (1, 1, 'n', 't', '{}', 't', 't'), (2, 1, 'n', 't', '{}', 't', 't');
  INSERT INTO targets (id, tenant_id, name, type, config, created_at, updated_at) VALUES (1, 1, 'n', 't', '{}', 't', 't');`;

/** Fails where a page of few rows is another one than the page of all rows with the same filters. */
async function compare(run: Run, random: (limit: number) => number): Promise<number> {
  const at = 90 + random(150);
  const [since, before] = [time(at), time(at - 2 * kSkew)];
  const maybe = <T extends Cell>(value: T): T | null => (random(2) === 0 ? value : null);
  const removed = maybe(random(2));
  const limits = [random(kMost), 1 + random(4)];
  const page = [random(kMost * 3), 1 + random(kMost), 9];
  const ofSource = [1, 1, removed, since];
  const found = await run("source_property_few_rows", [...ofSource, before, ...limits, ...page]);
  assert.deepEqual(found, await run("source_property_rows", [...ofSource, ...page]));
  const [owner, changed] = [maybe(1 + random(2)), random(2) === 0];
  const filters = [maybe(random(2)), removed, maybe("removed"), owner, changed ? since : null];
  const few = [1, 1, ...filters, changed ? before : null, ...limits, ...page];
  const also = await run("target_property_few_rows", few);
  assert.deepEqual(also, await run("target_property_rows", [1, 1, ...filters, ...page]));
  return found.length + also.length;
}

const kStores = 60;
const kPages = 12;

async function compareMany(change: (sql: string) => unknown, run: Run): Promise<void> {
  let rows = 0;
  for (let seed = 1; seed <= kStores; seed++) {
    const random = randomFrom(seed);
    await change(kEmpty);
    await change(randomStore(random));
    for (let n = 0; n < kPages; n++) rows += await compare(run, random);
  }
  assert.ok(rows > kStores * kPages, `${rows} rows`);
}

test("few rows: on SQLite a page is that of all rows with the filters", async () => {
  const db = sqliteWithSchema();
  db.exec("PRAGMA foreign_keys = OFF");
  await compareMany(
    (sql) => db.exec(sql),
    async (name, params) =>
      db
        .prepare(texts.get(name)?.sqlite ?? assert.fail(name))
        .all(...params)
        .map((row) => ({ ...row })),
  );
});

test("few rows: on PostgreSQL, too", async () => {
  await compareMany(
    (sql) => session.query(sql),
    async (name, params) => {
      const text = texts.get(name)?.postgres ?? assert.fail(name);
      return (await session.query<object>(text, [...params])).rows.map((row) => ({ ...row }));
    },
  );
});
