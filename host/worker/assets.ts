// The static files of the deployment, which the platform keeps and tags.

import type { Asset } from "../shared/exchange.ts";

export async function readAsset(
  assets: Fetcher | undefined,
  path: string,
  ifNoneMatch: string | null,
): Promise<Asset | undefined> {
  if (assets === undefined) return undefined;
  const url = new URL(path, "https://assets.invalid");
  const ask = (tag: string | null): Promise<Response> =>
    assets.fetch(url, { headers: tag === null ? {} : { "if-none-match": tag } });
  let response = await ask(ifNoneMatch);
  const etag = response.headers.get("etag");
  if (response.ok && etag !== null && namesTag(ifNoneMatch, etag)) {
    // The platform knows a tag that comes alone, but neither a list of them nor `*`.
    await response.body?.cancel();
    response = await ask(etag);
  }
  if (response.ok && response.body !== null) return { etag, file: response.body };
  // A file that is not there has no tag.
  if (etag !== null) return { etag, file: { unchanged: response.status } };
  await response.body?.cancel();
  return undefined;
}

/** Whether the header names the tag, be either weak or not (RFC 9110, section 13.1.2). */
function namesTag(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch.trim() === "*") return true;
  const named: readonly string[] = ifNoneMatch.match(/"[^"]*"/g) ?? [];
  return named.includes(etag.replace(/^W\//, ""));
}
