// The keys of a tenant as tests read and make them.

import type { Client } from "./client.ts";
import { assertMembers, assertRising } from "./rows.ts";

export interface Key {
  id: number;
  name: string | null;
  scope: string;
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
  revoked_at: string | null;
}

export interface NewKey {
  id: number;
  api_key: string;
  created_at: string;
  name: string | null;
  scope: string;
  expires_at: string | null;
}

export const kKeyMembers = [
  "id",
  "name",
  "scope",
  "created_at",
  "last_used_at",
  "expires_at",
  "revoked_at",
];
export const kNewKeyMembers = ["id", "api_key", "created_at", "name", "scope", "expires_at"];

export async function listKeys(client: Client): Promise<Key[]> {
  const rows = (await client.get("/keys")).expect(200).json<Key[]>();
  for (const row of rows) assertMembers(row, kKeyMembers);
  assertRising(rows);
  return rows;
}

export async function newKey(client: Client, order?: object): Promise<NewKey> {
  const row = (await client.post("/keys", order)).expect(201).json<NewKey>();
  assertMembers(row, kNewKeyMembers);
  return row;
}
