// Lists as tests walk them: the next page by its link, and all pages of a list.

import assert from "node:assert/strict";
import type { Answer, Client } from "./client.ts";

/** The target of `rel="next"`, or null on the last page. */
export function nextLink(answer: Answer): string | null {
  const link = answer.header("link");
  if (link === null) return null;
  const match = /^<([^>]*)>;\s*rel="?next"?$/.exec(link);
  assert.ok(match?.[1], `Link: ${link}`);
  assert.match(match[1], /^\/[^/]/, "path-absolute");
  return match[1];
}

/** Follows `next` from the first page on. */
export async function pages<T>(client: Client, first: string): Promise<T[][]> {
  const found: T[][] = [];
  for (let path: string | null = first; path !== null; ) {
    const answer = (await client.get(path)).expect(200);
    found.push(answer.json<T[]>());
    assert.ok(found.length < 100, "the pages do not end");
    path = nextLink(answer);
  }
  return found;
}
