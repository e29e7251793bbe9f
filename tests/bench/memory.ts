// How much the Worker's process grows over one import of the largest body that is allowed. The process holds the isolate,
// but also the body on its way and D1 itself, so the figure is an upper bound for the isolate.
import { createApi, createPair, requestJson } from "./client.ts";
import { importBody } from "./generate.ts";
import { memoryOf, resetPeak, type Server } from "./processes.ts";

export const kLargestBody = 100_000_000;
/** A little less than fits, at 1,067 bytes a property. */
const kLargestCount = 93_000;

export interface MemoryResult {
  readonly bodyBytes: number;
  readonly ms: number;
  readonly idleBytes: number;
  readonly peakBytes: number;
}

export async function measureMemory(server: Server): Promise<MemoryResult | null> {
  const api = await createApi(server.name, server.url);
  const warm = await createPair(api);
  const path = (source: number) => `/sources/${source}/import`;
  const small = importBody(0, 1000, "new");
  await requestJson(200, api.url, "POST", path(warm.source), small, api.key);
  const { source } = await createPair(api);
  const body = importBody(0, kLargestCount, "new");
  if (body.length > kLargestBody) throw new Error(`the body has ${body.length} bytes`);
  const idle = memoryOf(server);
  resetPeak(server);
  const { answer } = await requestJson(200, api.url, "POST", path(source), body, api.key);
  const peak = memoryOf(server);
  if (idle === null || peak === null) return null;
  return {
    bodyBytes: body.length,
    ms: answer.ms,
    idleBytes: idle.residentBytes,
    peakBytes: peak.peakBytes,
  };
}
