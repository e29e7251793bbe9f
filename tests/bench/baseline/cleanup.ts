// Clean-up: the snapshots of a tenant that are older than some days, one statement for each table.
import { HttpError, json, keyHash, type Store } from "./store.ts";

const kDayMs = 86_400_000;

export async function cleanUp(request: Request, store: Store, days: number): Promise<Response> {
  const key = await store.first("SELECT tenant_id FROM api_keys WHERE key_hash = ?1", [
    keyHash(request),
  ]);
  if (key === null) throw new HttpError(401, "unknown key");
  const tenantId = key["tenant_id"] as number;
  const now = new Date();
  const before = new Date(now.getTime() - days * kDayMs).toISOString();
  const [sources, targets] = await store.batch([
    ["DELETE FROM source_snapshots WHERE tenant_id = ?1 AND created_at < ?2", tenantId, before],
    ["DELETE FROM target_snapshots WHERE tenant_id = ?1 AND created_at < ?2", tenantId, before],
    [
      `INSERT INTO sync_logs (tenant_id, sync_id, sync_type, total_properties, updated_properties,
         created_at) VALUES (?1, ?2, 'cleanup', 0, 0, ?3)`,
      tenantId,
      crypto.randomUUID(),
      now.toISOString(),
    ],
  ]);
  const deleted = {
    source_snapshots: sources?.meta.changes ?? 0,
    target_snapshots: targets?.meta.changes ?? 0,
  };
  return json({ status: "success", deleted }, 200);
}
