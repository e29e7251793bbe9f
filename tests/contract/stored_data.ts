// What is in the store beyond the rows that the API shows: data, staging, pointers between them.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";

const kPointers = `
  SELECT tenant_id, data_id FROM source_properties
  UNION SELECT tenant_id, data_id FROM source_snapshots
  UNION SELECT tenant_id, data_id FROM target_properties
  UNION SELECT tenant_id, base_data_id FROM target_properties
  UNION SELECT tenant_id, delivered_data_id FROM target_properties
    WHERE delivered_data_id IS NOT NULL
  UNION SELECT tenant_id, data_id FROM target_snapshots
  UNION SELECT tenant_id, base_data_id FROM target_snapshots`;

export interface StoredData {
  /** Rows of property_data. */
  readonly data: number;
  /** Of these, those that nothing points to. */
  readonly loose: number;
  /** Pointers to data that is not there. */
  readonly dangling: number;
  /** Rows of unfinished imports. */
  readonly staged: number;
}

/** What the store holds of the tenant, read beside the running server. */
export function storedData(file: string, tenantId: number): StoredData {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    const count = (sql: string): number => {
      const row = database.prepare(`SELECT count(*) AS n FROM (${sql})`).get({ tenant: tenantId });
      return Number(row?.["n"]);
    };
    const own = "SELECT id FROM property_data WHERE tenant_id = :tenant";
    const pointers = `SELECT data_id FROM (${kPointers}) WHERE tenant_id = :tenant`;
    return {
      data: count(own),
      loose: count(`${own} EXCEPT ${pointers}`),
      dangling: count(`${pointers} EXCEPT ${own}`),
      staged: ["imports", "staging"].reduce(
        (sum, table) => sum + count(`SELECT 1 FROM ${table} WHERE tenant_id = :tenant`),
        0,
      ),
    };
  } finally {
    database.close();
  }
}

/** Asserts that every datum of the tenant is pointed to, and every pointer has its datum. */
export function assertTidy(file: string, tenantId: number): void {
  const { loose, dangling, staged } = storedData(file, tenantId);
  assert.deepEqual({ loose, dangling, staged }, { loose: 0, dangling: 0, staged: 0 });
}
