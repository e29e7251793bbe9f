// Single target rows: read one, list some, and edit one with a merge patch (RFC 7396).
import { canonical, sha256Hex } from "./canonical.ts";
import { HttpError, keyHash, type Store } from "./store.ts";

/** How often an edit that lost a race starts again. */
const kMostTries = 5;
/** Rows of a page of a stream: fewer cost more round trips, more hold the answer back. */
const kPageRows = 1000;
const kEncoder = new TextEncoder();

const kFields = `p.id, p.target_id, p.source_property_id, p.external_id, p.hash, p.source_hash,
  p.version, p.has_manual_changes, p.warning, p.sync_status, p.last_synced, p.created_at,
  p.updated_at, p.data`;

interface Row {
  readonly tenant_id: number;
  readonly id: number;
  readonly target_id: number;
  readonly source_property_id: number | null;
  readonly external_id: string;
  readonly hash: string;
  readonly source_hash: string;
  readonly version: number;
  readonly has_manual_changes: number;
  readonly warning: string | null;
  readonly sync_status: string;
  readonly last_synced: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly data: string;
}

export async function getProperty(
  request: Request,
  store: Store,
  targetId: number,
  propertyId: number,
): Promise<Response> {
  return answer(await readRow(request, store, targetId, propertyId));
}

export async function listProperties(
  request: Request,
  store: Store,
  targetId: number,
  limit: number,
): Promise<Response> {
  const rows = await readPage(request, store, targetId, "", limit);
  return jsonText(`[${rows.map(rowText).join(",")}]`);
}

/** All rows, page by page; the next one is read while the reader takes the last. */
export async function streamProperties(
  request: Request,
  store: Store,
  targetId: number,
): Promise<Response> {
  let page = readPage(request, store, targetId, "", kPageRows);
  let before = "[";
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const rows = await page;
      const last = rows.at(-1);
      const isEnd = last === undefined || rows.length < kPageRows;
      if (!isEnd) page = readPage(request, store, targetId, last.external_id, kPageRows);
      const text = before + rows.map(rowText).join(",") + (isEnd ? "]" : "");
      before = ",";
      controller.enqueue(kEncoder.encode(text));
      if (isEnd) controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

async function readPage(
  request: Request,
  store: Store,
  targetId: number,
  after: string,
  limit: number,
): Promise<Row[]> {
  // In the order of an index that is there anyway: one by id would cost each new row a further
  // write.
  return (await store.all(
    `SELECT k.tenant_id, ${kFields} FROM api_keys k
     JOIN target_properties p ON p.tenant_id = k.tenant_id AND p.target_id = ?2
       AND p.external_id > ?3
     WHERE k.key_hash = ?1 ORDER BY p.external_id LIMIT ?4`,
    [keyHash(request), targetId, after, limit],
  )) as unknown as Row[];
}

export async function patchProperty(
  request: Request,
  store: Store,
  targetId: number,
  propertyId: number,
): Promise<Response> {
  const [first, body] = await Promise.all([
    readRow(request, store, targetId, propertyId),
    request.json() as Promise<{ data: unknown }>,
  ]);
  let row = first;
  for (let tries = 0; tries < kMostTries; tries++) {
    const data = canonical(mergePatch(JSON.parse(row.data), body.data));
    const hash = sha256Hex(data);
    if (hash === row.hash) return answer(row);
    const isManual = hash === row.source_hash ? 0 : 1;
    const now = new Date().toISOString();
    const results = await store.batch([
      [
        `INSERT INTO target_snapshots
           (tenant_id, target_property_id, hash, version, created_at, data)
         SELECT tenant_id, id, hash, version, ?3, data FROM target_properties
         WHERE id = ?1 AND version = ?2`,
        propertyId,
        row.version,
        now,
      ],
      [
        `INSERT INTO sync_logs (tenant_id, sync_id, sync_type, target_id, total_properties,
           updated_properties, created_at)
         SELECT tenant_id, ?3, 'manual', target_id, 1, 1, ?4 FROM target_properties
         WHERE id = ?1 AND version = ?2`,
        propertyId,
        row.version,
        crypto.randomUUID(),
        now,
      ],
      [
        `UPDATE target_properties AS p SET hash = ?3, version = version + 1,
           has_manual_changes = ?4, warning = NULL, sync_status = ?5, updated_at = ?6, data = ?7
         WHERE id = ?1 AND version = ?2 RETURNING tenant_id, ${kFields.replaceAll("p.", "")}`,
        propertyId,
        row.version,
        hash,
        isManual,
        isManual === 1 ? "manual" : "synced",
        now,
        data,
      ],
    ]);
    const written = results[2]?.results[0] as unknown as Row | undefined;
    if (written !== undefined) return answer(written);
    row = await readRow(request, store, targetId, propertyId);
  }
  throw new HttpError(503, "the row is changed too often");
}

/** The key and the row in one query. */
async function readRow(
  request: Request,
  store: Store,
  targetId: number,
  propertyId: number,
): Promise<Row> {
  const row = await store.first(
    `SELECT k.tenant_id, ${kFields} FROM api_keys k LEFT JOIN target_properties p
       ON p.id = ?3 AND p.target_id = ?2 AND p.tenant_id = k.tenant_id
     WHERE k.key_hash = ?1`,
    [keyHash(request), targetId, propertyId],
  );
  if (row === null) throw new HttpError(401, "unknown key");
  if (row["id"] === null) throw new HttpError(404, "not found");
  return row as unknown as Row;
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const isObject = target !== null && typeof target === "object" && !Array.isArray(target);
  const merged: Record<string, unknown> = isObject ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function answer(row: Row): Response {
  return jsonText(rowText(row));
}

function jsonText(text: string): Response {
  return new Response(text, { headers: { "content-type": "application/json" } });
}

/** The row as JSON; its data goes in as the text that it is. */
function rowText(row: Row): string {
  const { tenant_id: _tenant, source_hash: _base, data, has_manual_changes, ...rest } = row;
  const shown = JSON.stringify({ ...rest, has_manual_changes: has_manual_changes === 1 });
  return `${shown.slice(0, -1)},"data":${data}}`;
}
