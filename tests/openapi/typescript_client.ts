// What an integrator does first, through a client that openapi-typescript generated from the document: the test
// puts this file beside it, checks the types, and runs it.
//   node typescript_client.ts <origin>

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

const baseUrl = process.argv[2] ?? "";

/** The data of a success; what was refused is the message where it was none. */
function given<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  assert.ok(answer.data !== undefined, answer.error?.detail);
  return answer.data;
}

const tenant = given(
  await createClient<paths>({ baseUrl }).POST("/tenants", { body: { name: "TypeScript" } }),
);
const client = createClient<paths>({ baseUrl, headers: { "X-API-Key": tenant.api_key } });

const source = given(
  await client.POST("/sources", {
    body: { name: "MLS feed", type: "json", config: { id_field: "/ListingKey", vendor: [1] } },
  }),
);
const target = given(
  await client.POST("/targets", {
    body: { name: "Website", type: "website", config: { on_removed: "delete" } },
  }),
);

const imported = given(
  await client.POST("/sources/{id}/import", {
    params: { path: { id: source.id }, query: { mode: "full", force: true } },
    body: { data: [{ ListingKey: "A-1", price: 350_000, address: { city: "Kiel" } }] },
  }),
);
assert.deepEqual([imported.status, imported.stats.created], ["success", 1]);
await client.POST("/sources/{id}/import", {
  params: { path: { id: source.id } },
  // @ts-expect-error: a price list is no list of properties
  body: { data: [350_000] },
});

const pair = { source_id: source.id, target_id: target.id };
const synced = given(
  await client.POST("/sync/{source_id}/{target_id}", { params: { path: pair } }),
);
assert.equal(synced.stats.created, 1);

const rows = given(
  await client.GET("/targets/{id}/properties", {
    params: { path: { id: target.id }, query: { sync_status: "synced" } },
  }),
);
const [row] = rows;
assert.ok(row !== undefined && rows.length === 1);
assert.deepEqual(row.data["address"], { city: "Kiel" });

const edited = given(
  await client.PATCH("/targets/{id}/properties/{prop_id}", {
    params: { path: { id: target.id, prop_id: row.id } },
    body: { data: { price: 345_000 } },
  }),
);
assert.ok(edited.has_manual_changes && edited.sync_status === "manual");

const refused = await client.PATCH("/targets/{id}", {
  params: { path: { id: target.id }, header: { "If-Match": '"another"' } },
  body: { name: "Website, north" },
});
assert.deepEqual([refused.response.status, refused.error?.status], [412, 412]);
const changed = given(
  await client.PATCH("/targets/{id}", {
    params: { path: { id: target.id } },
    body: { name: "Website, north", config: { on_removed: null, conflict_policy: "source_wins" } },
  }),
);
assert.deepEqual(changed.config, { conflict_policy: "source_wins" });
