// Imports beyond the plain ones of world.ts: with a query, as NDJSON, and sent piece by piece.

import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Answer, type Client, openSocket, readAnswer } from "./client.ts";
import { assertProblem, type ImportAnswer, type Log, type Place } from "./rows.ts";
import { importAnswer, logs, sourceRows } from "./world.ts";

export const kNdjson = "application/x-ndjson";

export async function importWith(
  client: Client,
  source: Place,
  query: string,
  items: readonly unknown[],
): Promise<ImportAnswer> {
  const path = `/sources/${source.id}/import?${query}`;
  return importAnswer(await client.post(path, { data: items }));
}

/** An import that says that the list is complete. */
export function importFull(
  client: Client,
  source: Place,
  items: readonly unknown[],
): Promise<ImportAnswer> {
  return importWith(client, source, "mode=full", items);
}

export function postLines(
  client: Client,
  source: Place,
  raw: string | Uint8Array,
  query = "",
  type = kNdjson,
): Promise<Answer> {
  const headers = { "Content-Type": type };
  return client.post(`/sources/${source.id}/import${query}`, undefined, { raw, headers });
}

export async function importLines(
  client: Client,
  source: Place,
  raw: string | Uint8Array,
  query = "",
): Promise<ImportAnswer> {
  return importAnswer(await postLines(client, source, raw, query));
}

/** Asserts that a full import of these items is refused, changes nothing and leaves a log row. */
export async function assertRefused(
  client: Client,
  source: Place,
  items: readonly unknown[],
  query = "mode=full",
): Promise<void> {
  const before = await sourceRows(client, source);
  const path = `/sources/${source.id}`;
  const tags = async (): Promise<string[]> => [
    (await client.get(path)).expect(200).etag,
    (await client.get(`${path}/properties`)).expect(200).etag,
  ];
  const kept = await tags();
  const seen = (await logs(client)).length;
  assertProblem(await client.post(`${path}/import?${query}`, { data: items }), 409);
  assert.deepEqual(await sourceRows(client, source), before);
  assert.deepEqual(await tags(), kept);
  const [row, ...more] = (await logs(client)).slice(seen) as [Log, ...Log[]];
  assert.deepEqual(more, []);
  assert.deepEqual(
    [row.sync_type, row.status, row.source_id, row.updated_properties],
    ["import", "failed", source.id, 0],
  );
  assert.ok(row.error_message !== null && row.error_message !== "");
  assert.notEqual(row.completed_at, null);
}

/** Sends the pieces as chunks of one request, each in a packet of its own where TCP lets it. */
export async function postPieces(
  client: Client,
  source: Place,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  type = kNdjson,
  query = "",
): Promise<Answer> {
  const socket = await openSocket(client.origin);
  try {
    socket.setNoDelay(true);
    const answered = readAnswer(socket);
    socket.write(importHead(client, source, type, "Transfer-Encoding: chunked", query));
    for await (const piece of pieces) {
      socket.write(`${piece.length.toString(16)}\r\n`);
      socket.write(piece);
      socket.write("\r\n");
      await nextTurn();
    }
    socket.write("0\r\n\r\n");
    const answer = await answered;
    assert.ok(answer !== null, "no answer");
    return answer;
  } finally {
    socket.destroy();
  }
}

export async function importPieces(
  client: Client,
  source: Place,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  type = kNdjson,
): Promise<ImportAnswer> {
  return importAnswer(await postPieces(client, source, pieces, type));
}

/** The head of an import, for requests that are written to a socket. */
export function importHead(
  client: Client,
  source: Place,
  type: string,
  length: string,
  query = "",
): string {
  return [
    `POST /sources/${source.id}/import${query} HTTP/1.1`,
    `Host: ${new URL(client.origin).host}`,
    `X-API-Key: ${client.key}`,
    `Content-Type: ${type}`,
    length,
    "\r\n",
  ].join("\r\n");
}
