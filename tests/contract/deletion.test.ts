// api.md section 2: a source or target that was deleted is gone at once, however many rows are yet to be cleared away.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, Client } from "./client.ts";
import { assertProblem, type Place } from "./rows.ts";
import { wake } from "./scheduled.ts";
import { startServer } from "./server.ts";
import { alterStore, readStore, storeFile } from "./store_file.ts";
import { assertTidy } from "./stored_data.ts";
import {
  assertSync,
  createSource,
  createTarget,
  createTenant,
  editRow,
  importItems,
  kUnusedId,
  snapshots,
  sourceRow,
  syncOnce,
  targetPath,
  targetRow,
  targetRows,
} from "./world.ts";

// Of its own, since writing to the store from outside holds up everybody else's writes.
const server = await startServer();
after(() => server.stop());
const file = storeFile(server.stateDir ?? "");

type Which = "source" | "target";

interface Estate {
  readonly tenant: number;
  readonly client: Client;
  readonly source: Place;
  /** Contests the rows of the source. */
  readonly rival: Place;
  readonly target: Place;
  readonly ids: Readonly<Record<Which, { place: number; property: number }>>;
}

async function estate(): Promise<Estate> {
  const { id: tenant, api_key } = await createTenant(server);
  const client = new Client(server.origin, api_key);
  const source = await createSource(client);
  const rival = await createSource(client);
  const target = await createTarget(client);
  await importItems(client, source, [{ id: "a", v: 0 }, { id: "b" }, { id: "c" }]);
  await importItems(client, rival, [{ id: "a", v: 5 }, { id: "z" }]);
  await assertSync(client, source, target, { created: 3 });
  await assertSync(client, rival, target, { created: 1, warnings: 1 });
  await importItems(client, source, [{ id: "a", v: 1 }]);
  await assertSync(client, source, target, { updated: 1, skipped: 2 });
  await editRow(client, await targetRow(client, target, "b"), { v: 9 });
  const [from, to] = [await sourceRow(client, source, "a"), await targetRow(client, target, "a")];
  assert.match(to.warning ?? "", /^Two sources have this property/);
  const ids = {
    source: { place: source.id, property: from.id },
    target: { place: target.id, property: to.id },
  };
  return { tenant, client, source, rival, target, ids };
}

/** As the first batch of a deletion leaves the store, where nobody goes on with the others. */
function mark(which: Which, id: number): void {
  alterStore(
    file,
    `UPDATE ${which}s SET deleted_at = '${new Date().toISOString()}', revision = revision + 1 WHERE id = ${id};
    UPDATE targets SET revision = revision + 1 WHERE '${which}' = 'source'
      AND id IN (SELECT target_id FROM sync_pairs WHERE source_id = ${id});`,
  );
}

/** Rows of the store that belong to it, or name it. */
function left(which: Which, id: number): number {
  const own = `SELECT 1 FROM ${which}s WHERE id = ${id}
    UNION ALL SELECT 1 FROM ${which}_properties WHERE ${which}_id = ${id}
    UNION ALL SELECT 1 FROM ${which}_snapshots WHERE ${which}_id = ${id}
    UNION ALL SELECT 1 FROM sync_pairs WHERE ${which}_id = ${id}
    UNION ALL SELECT 1 FROM target_properties WHERE '${which}' = 'source' AND ${id} IN (source_id, contested_by)`;
  return Number(readStore(file, `SELECT count(*) AS n FROM (${own})`)[0]?.["n"]);
}

async function untilGone(which: Which, id: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; left(which, id) > 0; await sleep(5)) {
    assert.ok(Date.now() < deadline, "its rows are cleared away behind the answer");
  }
}

/** A wake that is late enough to take up what nobody works on. */
const wakeLater = (client: Client) => wake(client.origin, Date.now() + 2 * 60_000);

/** Paths of the API document with an id of a source or target in them. */
async function templates(client: Client): Promise<[string, string[]][]> {
  const document = (await client.get("/openapi.json")).expect(200);
  const { paths } = document.json<{ paths: Record<string, Record<string, unknown>> }>();
  return Object.entries(paths)
    .filter(([path]) => /^\/(sources|targets|sync)\/\{/.test(path))
    .map(([path, item]) => [
      path,
      Object.keys(item).filter((name) => /^(get|post|put|patch|delete)$/.test(name)),
    ]);
}

function fill(template: string, one: Estate): string {
  const ids = template.startsWith("/sync/")
    ? [one.ids.source.place, one.ids.target.place]
    : [one.ids[template.startsWith("/sources") ? "source" : "target"]].flatMap(
        ({ place, property }) => [place, property],
      );
  return template.replace(/\{\w+\}/g, () => String(ids.shift()));
}

function visible({
  status,
  headers: { "x-request-id": _id, date: _date, ...headers },
  text,
}: Answer) {
  return { status, headers, text };
}

/** Bodies with which a write would pass where its place were there. */
const kBodies: readonly unknown[] = [
  undefined,
  { name: "x" },
  { data: { v: 1 } },
  { data: [{ id: "n" }] },
];

async function assertNowhere(one: Estate, which: Which): Promise<number> {
  let tried = 0;
  for (const [template, methods] of await templates(one.client)) {
    if (!template.startsWith(`/${which}s/`) && !template.startsWith("/sync/")) continue;
    const path = fill(template, one);
    const unused = path.replace(String(one.ids[which].place), String(kUnusedId));
    for (const method of methods.map((name) => name.toUpperCase())) {
      for (const body of method === "GET" ? [undefined] : kBodies) {
        const seen = await one.client.request(method, path, { body });
        assertProblem(seen, 404);
        const never = await one.client.request(method, unused, { body });
        assert.deepEqual(visible(seen), visible(never), `${method} ${path}`);
        tried += 1;
      }
    }
  }
  const rows = (await one.client.get(`/${which}s`)).json<Place[]>();
  assert.ok(rows.every(({ id }) => id !== one.ids[which].place));
  return tried;
}

for (const which of ["source", "target"] as const) {
  test(`deletion: a ${which} is on no route from its mark on, and a wake clears its rows away`, async () => {
    const one = await estate();
    const { place } = one.ids[which];
    const list = (await one.client.get(`/${which}s`)).etag;
    mark(which, place);
    assert.ok((await assertNowhere(one, which)) >= 12);
    assert.notEqual((await one.client.get(`/${which}s`)).etag, list);
    const marked = left(which, place);
    assert.ok(marked >= 5, `${marked} rows`);
    await wake(one.client.origin, Date.now());
    assert.equal(left(which, place), marked, "somebody may be at work on it");
    await wakeLater(one.client);
    assert.equal(left(which, place), 0);
    (await one.client.post("/cleanup?days=0")).expect(200);
    assertTidy(file, one.tenant);
    await assertNowhere(one, which);
  });

  test(`deletion: the rows of a ${which} are cleared away behind the answer, which counts them`, async () => {
    const one = await estate();
    const { place } = one.ids[which];
    const properties = 3 + Number(which === "target");
    const snapshots = which === "source" ? 1 : 2;
    const answer = (await one.client.delete(`/${which}s/${place}`)).expect(200);
    assert.deepEqual(answer.json(), { status: "deleted", deleted: { properties, snapshots } });
    await assertNowhere(one, which);
    await untilGone(which, place);
    (await one.client.post("/cleanup?days=0")).expect(200);
    assertTidy(file, one.tenant);
  });
}

test("deletion: rows of a target are shown as without the source, whether or not they still name it", async () => {
  const one = await estate();
  const { client, source, target } = one;
  const paths = [
    `/targets/${target.id}/properties`,
    `/targets/${target.id}/properties?limit=3`,
    `/targets/${target.id}/properties?source_id=${source.id}`,
    `/targets/${target.id}/properties?has_manual_changes=true`,
    targetPath(await targetRow(client, target, "a")),
    targetPath(await targetRow(client, target, "b")),
  ];
  const read = async () => {
    const answers: Answer[] = [];
    for (const path of paths) answers.push((await client.get(path)).expect(200));
    return answers.map(({ etag, text }) => ({ etag, text }));
  };
  const before = await read();
  mark("source", source.id);
  const marked = await read();
  for (const [at, { etag }] of before.entries()) assert.notEqual(marked[at]?.etag, etag, paths[at]);
  assert.equal(marked[2]?.text, "[]\n");
  const rows = await targetRows(client, target);
  assert.deepEqual(
    rows.map((row) => [row.external_id, row.source_property_id === null, row.warning]),
    ["a", "b", "c", "z"].map((id) => [id, id !== "z", null]),
  );
  await wakeLater(client);
  assert.equal(left("source", source.id), 0);
  assert.deepEqual(await read(), marked, "nobody sees that they are untied");
});

test("deletion: another source takes the rows over, whether or not they still name the deleted one", async () => {
  for (const cleared of [false, true]) {
    const { client, source, rival, target } = await estate();
    mark("source", source.id);
    if (cleared) await wakeLater(client);
    await assertSync(client, rival, target, { updated: 1, skipped: 1 });
    const row = await targetRow(client, target, "a");
    assert.deepEqual([row.data["v"], row.warning, row.version], [5, null, 3]);
    assert.notEqual(row.source_property_id, null);
    assert.deepEqual((await syncOnce(client, rival, target)).stats.skipped, 2);
    await wakeLater(client);
    assert.equal(left("source", source.id), 0);
    assert.deepEqual(await targetRow(client, target, "a"), row);
  }
});

test("deletion: a contest that a deleted source began is over", async () => {
  for (const cleared of [false, true]) {
    const { client, source, rival, target } = await estate();
    mark("source", rival.id);
    if (cleared) await wakeLater(client);
    const row = await targetRow(client, target, "a");
    assert.deepEqual([row.warning, row.source_property_id === null], [null, false]);
    await assertSync(client, source, target, { skipped: 2, warnings: 1 });
    await wakeLater(client);
    assert.equal(left("source", rival.id), 0);
    assert.deepEqual((await targetRow(client, target, "a")).data, row.data);
  }
});

test("deletion: a clean-up counts nothing of what was deleted", async () => {
  const { client, source, target } = await estate();
  mark("source", source.id);
  const answer = (await client.post("/cleanup?days=0")).expect(200);
  assert.deepEqual(answer.json<{ deleted: object }>().deleted, {
    source_snapshots: 0,
    target_snapshots: 2,
  });
  assert.deepEqual(await snapshots(client, targetPath(await targetRow(client, target, "a"))), []);
  await wakeLater(client);
  assert.equal(left("source", source.id), 0);
});
