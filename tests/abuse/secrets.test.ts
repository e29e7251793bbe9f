// The secrets of a config in the store: one text for each source or target, of about the size of what was
// sent, whose seals open where they were made and nowhere else; and what had a row for each secret counts
// on.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Sealer } from "../../host/shared/seal.ts";
import { MeasuredCore, sealingKey } from "./measured_core.ts";

const kMask = "********";

const core = new MeasuredCore();
let key = "";

async function call<T>(method: string, target: string, sent?: unknown): Promise<T> {
  const body = Buffer.from(sent === undefined ? "" : JSON.stringify(sent));
  const headers = [
    ["x-api-key", key],
    ["content-length", String(body.length)],
  ] as const;
  const { status, text } = await core.perform({ method, target, headers, body });
  assert.ok(status < 300, `${method} ${target}: ${status} ${text}`);
  return JSON.parse(text || "null") as T;
}

interface Made {
  readonly id: number;
}

async function createTarget(config: object): Promise<number> {
  return (await call<Made>("POST", "/targets", { name: "t", type: "api", config })).id;
}

async function sealsOf(id: number): Promise<string[]> {
  const of = `owner = 'target' AND owner_id = ${id}`;
  const [row] = await core.store.read(`SELECT seals FROM sealed_secrets WHERE ${of}`);
  return JSON.parse(String(row?.["seals"] ?? "[]")) as string[];
}

before(async () => {
  ({ api_key: key } = await call<{ api_key: string }>("POST", "/tenants", { name: "n" }));
});

test("secrets: a body grows the store by about its own size, however long the pointers are", async () => {
  const names = Array.from({ length: 64 }, (_, at) => `h${at}`);
  const headers = Object.fromEntries(names.map((name) => [name, "v".repeat(300)]));
  const config = { ["k".repeat(990)]: { headers } };
  const bytesOf = async (): Promise<number> => {
    const [row] = await core.store.read(
      "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size",
    );
    return Number(row?.["bytes"]);
  };
  const bytes = await bytesOf();
  for (let at = 0; at < 50; at++) await createTarget(config);
  const grown = (await bytesOf()) - bytes;
  const sent = 50 * JSON.stringify({ name: "t", type: "api", config }).length;
  assert.ok(grown < 2 * sent, `${grown} bytes are stored of ${sent}`);
});

test("secrets: what is stored opens for its tenant, owner and pointer alone", async () => {
  const id = await createTarget({ api_key: "k", list: [{ token: { a: 1 } }] });
  const sealer = await Sealer.create(sealingKey);
  assert.ok(sealer);
  const [first = "", second = ""] = await sealsOf(id);
  const open = async (seal: string, context: string): Promise<string | undefined> => {
    const [keyId = "", sealed = ""] = seal.split(":");
    const plain = await sealer.open({ keyId, sealed }, context);
    return plain && new TextDecoder().decode(plain);
  };
  assert.equal(await open(first, `1|target|${id}|/api_key`), '"k"');
  assert.equal(await open(second, `1|target|${id}|/list/0/token`), '{"a":1}');
  for (const moved of [
    `2|target|${id}|/api_key`,
    `1|source|${id}|/api_key`,
    `1|target|${id + 1}|/api_key`,
    `1|target|${id}|/list/0/token`,
  ]) {
    assert.equal(await open(first, moved), undefined, moved);
  }
});

test("secrets: those that have a row each count until the config changes, and their seals stay", async () => {
  const id = await createTarget({ api_key: "k", headers: { A: "a" }, open: 1 });
  const of = `owner = 'target' AND owner_id = ${id}`;
  const seals = await sealsOf(id);
  for (const [at, pointer] of ["/api_key", "/headers/A"].entries()) {
    const [keyId, sealed] = seals[at]?.split(":") ?? [];
    core.store.exec(`INSERT INTO secrets SELECT tenant_id, owner, owner_id, '${pointer}', '${keyId}', '${sealed}'
      FROM sealed_secrets WHERE ${of}`);
  }
  core.store.exec(`DELETE FROM sealed_secrets WHERE ${of}`);
  const rows = async () => (await core.store.read(`SELECT 1 FROM secrets WHERE ${of}`)).length;
  const path = `/targets/${id}`;
  await call("PATCH", path, { name: "renamed" });
  await call("PATCH", path, { config: { api_key: kMask } });
  assert.equal(await rows(), 2, "nothing has changed");
  await call("PATCH", path, { config: { headers: { B: "b" } } });
  assert.equal(await rows(), 0);
  const now = await sealsOf(id);
  assert.deepEqual([now.length, now.slice(0, 2)], [3, seals]);
  await call("PATCH", path, { config: { api_key: null, open: 2 } });
  assert.deepEqual(await sealsOf(id), now.slice(1), "what goes takes its seal along");
  await call("DELETE", path);
  assert.deepEqual(await sealsOf(id), []);
});
