// api.md sections 1 (lists, caching) and 3: the filters of properties, alone and together.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { nextLink, pages } from "./pages.ts";
import { assertProblem, type Place, type SourceProperty, type TargetProperty } from "./rows.ts";
import { openServer } from "./server.ts";
import {
  createSource,
  editRow,
  externalIds,
  importItems,
  kUnusedId,
  newClient,
  range,
  sourcePath,
  sourceRow,
  sourceRows,
  syncedPair,
  targetPath,
  targetRow,
  targetRows,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

type Row = SourceProperty & TargetProperty;

interface World {
  readonly source: string;
  readonly target: string;
  /** A time that lies between the first and the last change of the rows. */
  readonly between: string;
}

/** Ten properties of which some were removed, changed, edited, late or several of these. */
async function mixedWorld(client: Client): Promise<World> {
  const items = range(10).map((id) => ({ id: `p${id}`, v: 0 }));
  const { source, target } = await syncedPair(client, items);
  for (const id of ["p1", "p2"]) await removeOne(client, source, id);
  await sleep(5);
  const between = new Date().toISOString();
  await sleep(5);
  await importItems(client, source, [
    { id: "p2", v: 0 },
    { id: "p3", v: 1 },
    { id: "late", v: 1 },
  ]);
  await removeOne(client, source, "p4");
  for (const id of ["p5", "p6"]) {
    await editRow(client, await targetRow(client, target, id), { hand: id });
  }
  await editRow(client, await targetRow(client, target, "p6"), { hand: null });
  return {
    source: `/sources/${source.id}/properties`,
    target: `/targets/${target.id}/properties`,
    between,
  };
}

async function removeOne(client: Client, source: Place, id: string): Promise<void> {
  (await client.delete(sourcePath(await sourceRow(client, source, id)))).expect(200);
}

const kAtOnce = 24;

type Filter = readonly [name: string, value: string, fits: (row: Row) => boolean];

/** Every way to choose one filter, or none, of each group. */
function combinations(groups: readonly (readonly Filter[])[]): Filter[][] {
  return groups.reduce<Filter[][]>(
    (chosen, group) => chosen.flatMap((some) => [some, ...group.map((one) => [...some, one])]),
    [[]],
  );
}

function withQuery(path: string, chosen: readonly Filter[]): string {
  const query = chosen.map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return query.length === 0 ? path : `${path}?${query.join("&")}`;
}

async function assertCombinations(
  client: Client,
  path: string,
  groups: readonly (readonly Filter[])[],
): Promise<void> {
  const all = (await client.get(path)).expect(200).json<Row[]>();
  const check = async (chosen: readonly Filter[]): Promise<void> => {
    const wanted = all.filter((row) => chosen.every(([, , fits]) => fits(row)));
    const query = withQuery(path, chosen);
    const answer = (await client.get(query)).expect(200);
    assert.deepEqual(answer.json<Row[]>(), wanted, query);
    const paged = await pages<Row>(client, `${query}${query.includes("?") ? "&" : "?"}limit=3`);
    assert.deepEqual(paged.flat(), wanted, `${query} in pages`);
    const headers = { "If-None-Match": answer.etag };
    assert.equal((await client.get(query, { headers })).expect(304).bytes.length, 0, query);
  };
  const chosen = combinations(groups);
  // Hundreds at once would wait for room until they are 503, as they should.
  for (let at = 0; at < chosen.length; at += kAtOnce)
    await Promise.all(chosen.slice(at, at + kAtOnce).map(check));
}

function sinceFilters(between: string): Filter[] {
  return ["2000-01-01T00:00:00Z", between, "2099-12-31T23:59:59.999Z"].map((since) => [
    "updated_since",
    since,
    (row) => Date.parse(row.updated_at) >= Date.parse(since),
  ]);
}

function idFilters(...ids: readonly string[]): Filter[] {
  return ids.map((id) => ["external_id", id, (row) => row.external_id === id]);
}

test("filters: of source properties, each alone and all together", async () => {
  const client = await newClient(server);
  const world = await mixedWorld(client);
  await assertCombinations(client, world.source, [
    idFilters("p1", "p3", "P1"),
    [
      ["removed", "true", (row) => row.removed_at !== null],
      ["removed", "false", (row) => row.removed_at === null],
    ],
    sinceFilters(world.between),
  ]);
});

test("filters: of target properties, each alone and all together", async () => {
  const client = await newClient(server);
  const world = await mixedWorld(client);
  await assertCombinations(client, world.target, [
    idFilters("p5", "p6"),
    [
      ["has_manual_changes", "true", (row) => row.has_manual_changes],
      ["has_manual_changes", "false", (row) => !row.has_manual_changes],
    ],
    ["synced", "manual", "conflict", "removed"].map((status) => [
      "sync_status",
      status,
      (row) => row.sync_status === status,
    ]),
    [
      ["removed", "true", (row) => row.sync_status === "removed"],
      ["removed", "false", (row) => row.sync_status !== "removed"],
    ],
    sinceFilters(world.between),
  ]);
});

test("filters: a removed property is found as changed when it was removed", async () => {
  const client = await newClient(server);
  const { source } = await syncedPair(client, [{ id: "a" }, { id: "b" }]);
  await sleep(5);
  const since = new Date().toISOString();
  await removeOne(client, source, "a");
  const path = `/sources/${source.id}/properties?updated_since=${since}`;
  const changed = (await client.get(path)).expect(200).json<SourceProperty[]>();
  assert.deepEqual(externalIds(changed), ["a"]);
});

test("filters: external_id is exact, whatever its characters", async () => {
  const client = await newClient(server);
  const ids = ["a", "A", "a ", "ä", "a%", "a_", "%", "a&b=c", "a+b", "😀", "'", '"', "a/b", "001"];
  const source = await createSource(client);
  await importItems(
    client,
    source,
    ids.map((id) => ({ id })),
  );
  for (const id of ids) {
    const path = `/sources/${source.id}/properties?external_id=${encodeURIComponent(id)}`;
    const found = (await client.get(path)).expect(200).json<SourceProperty[]>();
    assert.deepEqual(externalIds(found), [id]);
  }
  for (const id of ["1", "1.0", "aa", "b"]) {
    const path = `/sources/${source.id}/properties?external_id=${id}`;
    assert.equal((await client.get(path)).expect(200).text, "[]\n");
  }
});

test("filters: updated_since is inclusive and takes any RFC 3339 time", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  await importItems(client, source, [{ id: "a" }]);
  const row = await sourceRow(client, source, "a");
  const at = Date.parse(row.updated_at);
  const iso = (ms: number): string => new Date(ms).toISOString();
  const shifted = (zone: string, minutes: number): string =>
    iso(at + minutes * 60_000).replace("Z", zone);
  const digits = (text: string): string => row.updated_at.replace("Z", `${text}Z`);
  const found = [
    row.updated_at,
    iso(at - 1),
    row.updated_at.toLowerCase(),
    shifted("+02:00", 120),
    shifted("-11:30", -690),
    shifted("+00:00", 0),
    shifted("-00:00", 0),
    digits("000000"),
    "2016-12-31T23:59:60Z",
    "0001-01-01T00:00:00Z",
    "2024-02-29T12:00:00.5Z",
    `${iso(at - 1_000).slice(0, 19)}Z`,
  ];
  const missed = [
    iso(at + 1),
    digits("000001"),
    digits("9"),
    shifted("+02:00", 121),
    "9999-12-31T23:59:59Z",
  ];
  const path = `/sources/${source.id}/properties?updated_since=`;
  for (const [times, wanted] of [
    [found, 1],
    [missed, 0],
  ] as const) {
    for (const time of times) {
      const answer = (await client.get(path + encodeURIComponent(time))).expect(200);
      assert.equal(answer.json<unknown[]>().length, wanted, `${time} for ${row.updated_at}`);
    }
  }
});

test("filters: a bad value is 422 and names the parameter", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }]);
  const sources = `/sources/${source.id}/properties`;
  const targets = `/targets/${target.id}/properties`;
  const truths = ["", "1", "0", "yes", "TRUE", "True", "null", "true ", "truefalse"];
  const times = [
    "",
    "x",
    "2026",
    "2026-01-15",
    "2026-01-15T10:30:00",
    "2026-01-15T10:30Z",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "2026-01-15T24:00:00Z",
    "2026-01-15T10:60:00Z",
    "2026-01-15T10:30:61Z",
    "2026-01-15T10:30:00.Z",
    "2026-01-15T10:30:00+25:00",
    "2026-01-15T10:30:00+0200",
    "20260115T103000Z",
    "2026-01-15T10:30:00Zx",
    "1768473000",
    "-2026-01-15T10:30:00Z",
  ];
  const cases: [string, string, readonly string[]][] = [
    [sources, "removed", truths],
    [targets, "has_manual_changes", truths],
    [sources, "updated_since", times],
    [targets, "updated_since", times],
  ];
  for (const [path, parameters, values] of cases) {
    for (const value of values) {
      const answer = await client.get(`${path}?${parameters}=${encodeURIComponent(value)}`);
      assertProblem(answer, 422, { parameters: [parameters] });
    }
  }
});

test("filters: an external_id that is no UTF-8 is 422, as none is stored", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }]);
  for (const value of ["%ff", "%c3", "%ed%a0%80", "%C0%80", "%F4%90%80%80"]) {
    for (const path of [`/sources/${source.id}`, `/targets/${target.id}`]) {
      const answer = await client.get(`${path}/properties?external_id=${value}`);
      assertProblem(answer, 422, { parameters: ["external_id"] });
    }
  }
});

test("filters: those of the other kind and those that nobody knows are 422", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }]);
  const sources = `/sources/${source.id}/properties`;
  const targets = `/targets/${target.id}/properties`;
  for (const [path, name, value] of [
    [sources, "has_manual_changes", "true"],
    [sources, "has_manual_changes", "x"],
    [sources, "sync_status", "removed"],
    [sources, "source_id", "1"],
    [sources, "colour", "red"],
    [targets, "target_id", "1"],
    [targets, "colour", "red"],
  ] as const) {
    const answer = await client.get(`${path}?${name}=${value}`);
    assertProblem(answer, 422, { parameters: [name] });
  }
});

test("filters: removed properties of a target are those whose sync_status says so", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "live" }, { id: "gone" }]);
  await removeOne(client, source, "gone");
  (await client.post(`/sync/${source.id}/${target.id}`)).expect(200);
  const found = async (query: string): Promise<string[]> => {
    const answer = await client.get(`/targets/${target.id}/properties?${query}`);
    return externalIds(answer.expect(200).json<TargetProperty[]>());
  };
  assert.deepEqual(await found("removed=true"), ["gone"]);
  assert.deepEqual(await found("sync_status=removed"), ["gone"]);
  assert.deepEqual(await found("removed=false"), ["live"]);
  assert.deepEqual(await found("removed=false&sync_status=removed"), []);
  assert.deepEqual(await found(`source_id=${source.id}&removed=false`), ["live"]);
});

test("filters: a time zone east of Greenwich needs no percent-encoding", async () => {
  const client = await newClient(server);
  const { source } = await syncedPair(client, [{ id: "a" }]);
  const path = `/sources/${source.id}/properties`;
  const [row] = (await client.get(path)).expect(200).json<SourceProperty[]>();
  const at = Date.parse(row?.updated_at ?? "");
  const east = (ms: number): string =>
    new Date(ms + 7_200_000).toISOString().replace("Z", "+02:00");
  const since = async (time: string): Promise<number> =>
    (await client.get(`${path}?updated_since=${time}`)).expect(200).json<unknown[]>().length;
  assert.equal(await since(east(at)), 1);
  assert.equal(await since(east(at + 1)), 0);
});

test("filters: one that is given twice is 422", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }]);
  const time = "2026-01-01T00:00:00Z";
  for (const [path, name, value] of [
    [`/sources/${source.id}`, "external_id", "a"],
    [`/sources/${source.id}`, "removed", "true"],
    [`/sources/${source.id}`, "updated_since", time],
    [`/targets/${target.id}`, "has_manual_changes", "true"],
    [`/targets/${target.id}`, "limit", "5"],
  ] as const) {
    const twice = await client.get(`${path}/properties?${name}=${value}&${name}=${value}`);
    assertProblem(twice, 422, { parameters: [name] });
  }
});

test("lists: the link keeps the filters, whatever their characters", async () => {
  const client = await newClient(server);
  const { source } = await syncedPair(
    client,
    range(5).map((id) => ({ id })),
  );
  const since = "2020-01-01T01:00:00+01:00";
  const query = `limit=2&removed=false&updated_since=${encodeURIComponent(since)}`;
  const first = (await client.get(`/sources/${source.id}/properties?${query}`)).expect(200);
  const next = new URL(nextLink(first) ?? "", server.origin);
  assert.equal(next.pathname, `/sources/${source.id}/properties`);
  const kept = ["limit", "removed", "updated_since"].map((name) => next.searchParams.getAll(name));
  assert.deepEqual(kept, [["2"], ["false"], [since]]);
  assert.equal(next.searchParams.getAll("cursor").length, 1);
  const more = (await client.get(`${next.pathname}${next.search}`)).expect(200);
  assert.equal(more.json<unknown[]>().length, 2);
});

test("lists: rows that leave or join a filter between pages neither repeat nor hide others", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(
    client,
    range(9).map((id) => ({ id: `p${id}` })),
  );
  const order = (await sourceRows(client, source)).map((row) => row.external_id);
  const live = `/sources/${source.id}/properties?removed=false&limit=3`;
  const first = (await client.get(live)).expect(200);
  for (const at of [0, 2, 3, 8]) await removeOne(client, source, order[at] ?? "");
  await importItems(client, source, [{ id: "late" }, { id: order[1], v: 1 }]);
  const rest = await pages<SourceProperty>(client, nextLink(first) ?? "");
  const seen = [first.json<SourceProperty[]>(), ...rest].flat().map((row) => row.external_id);
  const stayed = [0, 1, 2, 4, 5, 6, 7].map((at) => order[at]);
  assert.deepEqual(seen, [...stayed, "late"]);

  const rows = await targetRows(client, target);
  for (const at of [1, 4, 7]) await editRow(client, rows[at] as TargetProperty, { v: 1 });
  const edited = `/targets/${target.id}/properties?has_manual_changes=true&limit=2`;
  const page = (await client.get(edited)).expect(200);
  for (const at of [0, 8]) await editRow(client, rows[at] as TargetProperty, { v: 1 });
  const others = await pages<TargetProperty>(client, nextLink(page) ?? "");
  assert.deepEqual(
    [page.json<TargetProperty[]>(), ...others].flat().map((row) => row.id),
    [1, 4, 7, 8].map((at) => rows[at]?.id),
  );
});

test("caching: lists that differ by a filter or limit have ETags of their own", async () => {
  const client = await newClient(server);
  const world = await mixedWorld(client);
  for (const path of [world.source, world.target]) {
    const since = `updated_since=${world.between}`;
    const queries = ["", "?limit=2", "?limit=3", "?external_id=p1", "?external_id=p2", `?${since}`];
    queries.push(path === world.source ? "?removed=true" : "?has_manual_changes=true");
    const tags = new Set<string>();
    for (const query of queries) tags.add((await client.get(path + query)).expect(200).etag);
    assert.equal(tags.size, queries.length);
  }
});

test("caching: a change of a row ends the 304 of every list that could show it", async () => {
  const client = await newClient(server);
  const { source, target } = await syncedPair(client, [{ id: "a" }, { id: "b" }]);
  const lists = ["?external_id=a", "?updated_since=2020-01-01T00:00:00Z", "?limit=1", ""];
  const tagsOf = (path: string): Promise<string[]> =>
    Promise.all(lists.map(async (query) => (await client.get(path + query)).expect(200).etag));
  const assertChanged = async (path: string, work: () => Promise<unknown>): Promise<void> => {
    const before = await tagsOf(path);
    await work();
    for (const [at, query] of lists.entries()) {
      const headers = { "If-None-Match": before[at] ?? "" };
      (await client.get(path + query, { headers })).expect(200);
    }
  };
  const sources = `/sources/${source.id}/properties`;
  await assertChanged(sources, () => importItems(client, source, [{ id: "a", v: 1 }]));
  await assertChanged(sources, () => removeOne(client, source, "a"));
  await assertChanged(sources, () => importItems(client, source, [{ id: "a", v: 1 }]));
  const row = await targetRow(client, target, "a");
  await assertChanged(`/targets/${target.id}/properties`, () => editRow(client, row, { v: 5 }));
});

test("caching: PATCH of a property honours If-Match, compared without W/", async () => {
  const client = await newClient(server);
  const { target } = await syncedPair(client, [{ id: "a", v: 0 }]);
  const path = targetPath(await targetRow(client, target, "a"));
  const first = (await client.get(path)).etag;
  const patch = (v: number, tag: string) =>
    client.patch(path, { data: { v } }, { headers: { "If-Match": tag } });
  const second = (await patch(1, first)).expect(200).etag;
  for (const stale of [first, `W/${first}`, '"x"', `${first}, "y"`]) {
    assertProblem(await patch(2, stale), 412);
  }
  const third = (await patch(3, `"x", W/${second}`)).expect(200).etag;
  assert.notEqual(third, second);
  (await patch(4, "*")).expect(200);
  assert.equal((await targetRow(client, target, "a")).data["v"], 4);
  const racers = await Promise.all(
    range(4).map(async (v) => patch(10 + v, (await client.get(path)).etag)),
  );
  assert.ok(racers.every(({ status }) => status === 200 || status === 412));
});

test("lists: rows of 512 KiB each come whole, and in pages", async () => {
  const client = await newClient(server);
  const source = await createSource(client);
  // Ids of one import rise with the external ids, as texts.
  const items = range(36).map((at) => ({
    id: 100 + at,
    text: String.fromCharCode(97 + (at % 26)).repeat(500_000),
  }));
  await importItems(client, source, items.slice(0, 18));
  await importItems(client, source, items.slice(18));
  const path = `/sources/${source.id}/properties`;
  const all = (await client.get(path)).expect(200).json<SourceProperty[]>();
  assert.deepEqual(
    all.map((row) => row.data),
    items.map(({ id, text }) => ({ id, text })),
  );
  // A page may end before its limit where rows are large; its link tells.
  const found = await pages<SourceProperty>(client, `${path}?limit=30`);
  assert.ok(found.every((page) => page.length >= 1 && page.length <= 30));
  assert.deepEqual(found.flat(), all);
});

test("filters: each of them is 404 where the source or target is not there, whoever's it may be", async () => {
  const client = await newClient(server);
  const other = await syncedPair(await newClient(server), [{ id: "theirs" }]);
  const filters = ["external_id=x", "removed=true", "updated_since=2026-01-15T10:30:00Z"];
  const ofTargets = ["has_manual_changes=true", "sync_status=manual", "source_id=1"];
  for (const [path, id, all] of [
    ["sources", other.source.id, filters],
    ["targets", other.target.id, [...filters, ...ofTargets]],
  ] as const) {
    for (const where of [id, kUnusedId]) {
      for (const filter of all) {
        for (const page of ["", "&limit=10"]) {
          const url = `/${path}/${where}/properties?${filter}${page}`;
          assertProblem(await client.get(url), 404);
        }
      }
    }
  }
});
