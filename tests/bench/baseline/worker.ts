// The yardstick: the best plain Worker for the same job on the same D1, without wasm. It has the
// routes that the benchmark measures and no others; requests and answers have the product's shapes.
// `../README.md` says what it leaves out (all of it work that the product does besides) and which
// tricks it uses.

import { canonical, sha256Hex } from "./canonical.ts";
import { cleanUp } from "./cleanup.ts";
import { importProperties } from "./import.ts";
import { getProperty, listProperties, patchProperty, streamProperties } from "./property.ts";
import { type Env, HttpError, json, keyHash, Store } from "./store.ts";
import { syncPair } from "./sync.ts";

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    try {
      return await route(request, new Store(env.DB));
    } catch (error) {
      if (error instanceof HttpError) return json({ title: error.message }, error.status);
      console.error(error);
      return json({ title: "internal error" }, 500);
    }
  },
};

async function route(request: Request, store: Store): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const [head, a, b, c] = pathname.slice(1).split("/");
  const path = `${request.method} ${head}`;
  if (path === "GET floor") return floor(store);
  if (path === "PATCH floor") return editFloor(store);
  if (path === "POST canonical") return canonicalOnly(request);
  if (path === "POST tenants") return createTenant(request, store);
  if (path === "POST sources" && a !== undefined && b === "import") {
    return importProperties(request, store, id(a));
  }
  if ((path === "POST sources" || path === "POST targets") && a === undefined) {
    return createParent(request, store, head as "sources" | "targets");
  }
  if (path === "POST cleanup") return cleanUp(request, store, Number(searchParams.get("days")));
  if (path === "POST sync") return syncPair(request, store, id(a), id(b));
  if (head === "targets" && b === "properties") {
    if (request.method === "GET" && c === undefined) {
      const limit = searchParams.get("limit");
      return limit === null
        ? streamProperties(request, store, id(a))
        : listProperties(request, store, id(a), Number(limit));
    }
    if (request.method === "GET") return getProperty(request, store, id(a), id(c));
    if (request.method === "PATCH") return patchProperty(request, store, id(a), id(c));
  }
  throw new HttpError(404, "not found");
}

function id(text: string | undefined): number {
  if (text === undefined || !/^[1-9][0-9]{0,15}$/.test(text)) throw new HttpError(404, "not found");
  return Number(text);
}

/** What any Worker on D1 pays for a request that reads one row. */
async function floor(store: Store): Promise<Response> {
  const row = await store.first("SELECT 1 AS one", []);
  return json(row, 200);
}

/** What any Worker on D1 pays for a request that reads a row and, knowing it, changes one. */
async function editFloor(store: Store): Promise<Response> {
  const row = await store.first("SELECT created_at FROM tenants WHERE id = 1", []);
  await store.batch([
    ["UPDATE tenants SET created_at = ?1 WHERE id = 1", `${row?.["created_at"]}`],
  ]);
  return json(row, 200);
}

async function canonicalOnly(request: Request): Promise<Response> {
  const body = (await request.json()) as { data: unknown[] };
  let last = "";
  for (const item of body.data) last = sha256Hex(canonical(item));
  return json({ items: body.data.length, last }, 200);
}

async function createTenant(request: Request, store: Store): Promise<Response> {
  const { name } = (await request.json()) as { name: string };
  const apiKey = `sm_${crypto.randomUUID().replaceAll("-", "")}`;
  const now = new Date().toISOString();
  const [tenant] = await store.batch([
    ["INSERT INTO tenants (name, created_at) VALUES (?1, ?2) RETURNING id", name, now],
    [
      `INSERT INTO api_keys (tenant_id, key_hash, created_at)
       VALUES ((SELECT max(id) FROM tenants), ?1, ?2)`,
      sha256Hex(apiKey),
      now,
    ],
  ]);
  const row = tenant?.results[0] as { id: number };
  return json({ id: row.id, name, api_key: apiKey, created_at: now }, 201);
}

async function createParent(
  request: Request,
  store: Store,
  table: "sources" | "targets",
): Promise<Response> {
  const { name, type } = (await request.json()) as { name: string; type: string };
  const now = new Date().toISOString();
  const row = await store.first(
    `INSERT INTO ${table} (tenant_id, name, type, created_at, updated_at)
     SELECT tenant_id, ?2, ?3, ?4, ?4 FROM api_keys WHERE key_hash = ?1
     RETURNING id, name, type, created_at, updated_at`,
    [keyHash(request), name, type, now],
  );
  if (row === null) throw new HttpError(401, "unknown key");
  return json(row, 201);
}
