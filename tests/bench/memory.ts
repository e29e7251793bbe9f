// The memory of the isolate over an import of the largest body that is allowed, and over what
// follows it: the JavaScript heap and its buffers, as the inspector tells them, and all memories of
// WebAssembly, looked at every few milliseconds.
import { createApi, createPair, requestJson, requestRows } from "./client.ts";
import { importBody } from "./generate.ts";
import { connect, type Inspector } from "./inspector.ts";
import { look, memoryOf, resetPeak, type Server, startProduct, stop } from "./servers.ts";

const kLargestBody = 100_000_000;
/** A little less than fits, at 1,067 bytes a property; the rest is white space. */
const kLargestCount = 93_000;
const kPauseMs = 5;

/** Over one request, each at most. */
export interface MemoryResult {
  readonly what: string;
  readonly ms: number;
  /** The largest sum of what was there at one time. */
  readonly isolateBytes: number;
  readonly heapBytes: number;
  readonly bufferBytes: number;
  /** Of all instances, and of the largest. */
  readonly wasmBytes: number;
  readonly largestBytes: number;
  /** Of the workerd process, which holds D1, too: before, and at most. */
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly samples: number;
}

export async function measureMemory(root: string, folder: string): Promise<MemoryResult[]> {
  const server = await startProduct(root, folder);
  try {
    const api = await createApi(server.name, server.url);
    const post = async (path: string, body?: Buffer) =>
      (await requestJson(200, api.url, "POST", path, body, api.key)).answer.ms;
    const warm = await createPair(api);
    await post(`/sources/${warm.source}/import`, importBody(0, 1000, "new"));
    const { source, target } = await createPair(api);
    const body = largestBody();
    const bytes = body.length.toLocaleString("en");
    const rows = kLargestCount.toLocaleString("en");
    const path = `/sources/${source}/import`;
    const list = `/targets/${target}/properties`;
    const works: [what: string, work: () => Promise<number>][] = [
      [`import of ${bytes} bytes, all new`, () => post(path, body)],
      [`import of ${bytes} bytes, all known`, () => post(path, body)],
      [`sync of ${rows}, all new`, () => post(`/sync/${source}/${target}`)],
      [`list of ${rows}`, async () => (await requestRows(api.url, list, api.key)).ms],
    ];
    const results: MemoryResult[] = [];
    for (const [what, work] of works) results.push(await measureWork(server, what, work));
    return results;
  } finally {
    await stop(server);
  }
}

async function measureWork(
  server: Server,
  what: string,
  work: () => Promise<number>,
): Promise<MemoryResult> {
  await look(server, "reset");
  resetPeak(server);
  const idleBytes = memoryOf(server)?.residentBytes ?? Number.NaN;
  const address = await server.miniflare.getInspectorURL();
  const inspector = await connect(address, `core:user:${server.name}`);
  const working = work();
  const sampled = await sample(inspector, working);
  const ms = await working;
  inspector.close();
  const { wasmPeakBytes, largestBytes } = await look(server);
  const peakBytes = memoryOf(server)?.peakBytes ?? Number.NaN;
  return { what, ms, idleBytes, peakBytes, ...sampled, wasmBytes: wasmPeakBytes, largestBytes };
}

function largestBody(): Buffer {
  const body = importBody(0, kLargestCount, "new");
  if (body.length > kLargestBody) throw new Error(`the body has ${body.length} bytes`);
  return Buffer.concat([body, Buffer.alloc(kLargestBody - body.length, " ")]);
}

async function sample(inspector: Inspector, work: Promise<unknown>) {
  let isWorking = true;
  const done = () => {
    isWorking = false;
  };
  work.then(done, done);
  let [isolateBytes, heapBytes, bufferBytes, samples] = [0, 0, 0, 0];
  while (isWorking) {
    const heap = await inspector.call<HeapUsage>("Runtime.getHeapUsage");
    const wasm = await inspector.evaluate<number>("benchWasmBytes()");
    // V8 counts memories of WebAssembly as neither heap nor buffers.
    const buffers = heap.backingStorageSize;
    const total = heap.usedSize + heap.embedderHeapUsedSize + buffers + wasm;
    isolateBytes = Math.max(isolateBytes, total);
    heapBytes = Math.max(heapBytes, heap.usedSize);
    bufferBytes = Math.max(bufferBytes, buffers);
    samples++;
    await new Promise((resolve) => setTimeout(resolve, kPauseMs));
  }
  return { isolateBytes, heapBytes, bufferBytes, samples };
}

interface HeapUsage {
  readonly usedSize: number;
  readonly totalSize: number;
  readonly embedderHeapUsedSize: number;
  readonly backingStorageSize: number;
}
