// What PostgreSQL means to do for a statement, whatever its parameters are.
import type { Client } from "pg";

// Enough tenants and rows that whoever reads all of a table does not do so because it is small.
export const kFill = `
  INSERT INTO tenants SELECT n, 'n', 't', 't' FROM generate_series(1, 200) n;
  INSERT INTO api_keys SELECT n, n, 'h' || n, 't' FROM generate_series(1, 200) n;
  INSERT INTO sources (id, tenant_id, name, type, config, created_at, updated_at)
    SELECT n, (n + 1) / 2, 'n', 't', '{}', 't', 't' FROM generate_series(1, 400) n;
  INSERT INTO targets (id, tenant_id, name, type, config, created_at, updated_at)
    SELECT n, (n + 1) / 2, 'n', 't', '{}', 't', 't' FROM generate_series(1, 400) n;
  INSERT INTO secrets SELECT (n + 1) / 2, 'source', n, '/token', 'k', 's' FROM generate_series(1, 400) n;
  INSERT INTO sealed_secrets SELECT (n + 1) / 2, 'source', n, '[]' FROM generate_series(1, 400) n;
  INSERT INTO property_data SELECT n, n / 200 + 1, 'h', '{}' FROM generate_series(1, 39999) n;
  INSERT INTO source_properties (tenant_id, source_id, external_id, id, hash, data_id, revision, log_id, life_log, created_at, updated_at)
    SELECT n / 200 + 1, n / 100 + 1, 'e' || n, n, 'h', n, n % 7, 1, 1, 't', 't' FROM generate_series(1, 39999) n;
  INSERT INTO target_properties (tenant_id, target_id, external_id, id, source_id, source_property_id, hash, data_id, base_data_id,
      sync_status, log_id, created_log, revision, created_at, updated_at)
    SELECT tenant_id, source_id, external_id, id, source_id, id, 'h', data_id, data_id, 'synced', 1, 1, revision, 't', 't' FROM source_properties;
  INSERT INTO source_snapshots SELECT tenant_id, source_id, id, 1, id, data_id, 'r', 1, 't' FROM source_properties;
  INSERT INTO target_snapshots SELECT tenant_id, target_id, id, 1, id, data_id, data_id, 0, 0, 'r', 1, 't' FROM target_properties;
  INSERT INTO sync_pairs SELECT n, n, (n + 1) / 2, 1, 1, 's' FROM generate_series(1, 400) n;
  INSERT INTO orphans SELECT id, tenant_id, external_id FROM source_properties WHERE id % 4 = 0;
  INSERT INTO sync_logs (tenant_id, id, sync_id, sync_type, status, total_properties, updated_properties, failed_properties, started_at)
    SELECT n % 200 + 1, n, 's' || n, 'sync', 'success', 0, 0, 0, 't' FROM generate_series(1, 20000) n;
  INSERT INTO imports SELECT n, n, n * 2, 't' FROM generate_series(1, 200) n;
  INSERT INTO staging SELECT tenant_id, tenant_id, external_id, id, 'h', data_id, 1 FROM source_properties;
  INSERT INTO schedules SELECT n, 'retention', 't' FROM generate_series(1, 200) n;
  INSERT INTO runs (id, tenant_id, kind, due_at, state, checkpoint, fence, lease_until, started_at)
    SELECT n, n % 200 + 1, 'retention', 't' || n, CASE WHEN n <= 200 THEN 'running' ELSE 'done' END, '{}', 1, 't', 't' FROM generate_series(1, 4000) n`;

export interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly "Join Filter"?: string;
  readonly Plans?: readonly Plan[];
}

/** What a plan reads from end to end: a table, or an index without a bound. */
export function scansOf(plan: Plan): string[] {
  const { "Node Type": node, "Relation Name": table, "Index Name": index } = plan;
  const isScan = node === "Seq Scan" || (index !== undefined && plan["Index Cond"] === undefined);
  return [...(isScan ? [index ?? table ?? ""] : []), ...(plan.Plans ?? []).flatMap(scansOf)];
}

/** Where it compares each row of one side with each row of the other. */
export function productsOf(plan: Plan): string[] {
  const isProduct = plan["Node Type"] === "Nested Loop" && plan["Join Filter"] !== undefined;
  return [
    ...(isProduct ? [plan["Join Filter"] ?? ""] : []),
    ...(plan.Plans ?? []).flatMap(productsOf),
  ];
}

/** Tells the plan of a statement whatever its parameters are, by a name of its own. */
export async function planOf(on: Client, name: string, sql: string, params: number): Promise<Plan> {
  await on.query(`PREPARE ${name} AS ${sql}`);
  const list = params === 0 ? "" : `(${Array(params).fill("NULL").join(", ")})`;
  const { rows } = await on.query(`EXPLAIN (FORMAT JSON) EXECUTE ${name}${list}`);
  return rows[0]["QUERY PLAN"][0].Plan;
}
