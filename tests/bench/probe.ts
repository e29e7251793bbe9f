// Stands around a Worker that is measured and changes nothing that it does: counts what D1 bills,
// and keeps sight of all memories of WebAssembly in the isolate. Both Workers run behind it, so its
// microseconds are the same for both. It must be the first module that is loaded, before anything
// makes an instance.

/** Where a server tells what the probe saw. */
export const kProbePath = "/bench-probe";

export interface Seen {
  /** Totals since the start, as `meta` of D1's answers says them. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly statements: number;
  /** Round trips to D1. */
  readonly calls: number;
  /**
   * Milliseconds inside SQLite, as D1 measured them; until D1 had answered; and inside WebAssembly.
   */
  readonly sqlMs: number;
  readonly d1Ms: number;
  readonly coreMs: number;
  /** Bytes of all instances that are not yet collected, now and at most since the last `?reset`. */
  readonly wasmBytes: number;
  readonly wasmPeakBytes: number;
  /** The largest instance since the last `?reset`. */
  readonly largestBytes: number;
}

const memories = new Set<WeakRef<WebAssembly.Memory>>();
const seen = { rowsRead: 0, rowsWritten: 0, statements: 0, calls: 0, sqlMs: 0, d1Ms: 0, coreMs: 0 };
let wasmPeakBytes = 0;
let largestBytes = 0;

// What comes out has no more than `exports`, which is all that our loaders look at.
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(Instance, [module, imports]) {
    const { exports } = new Instance(module, imports);
    if (exports["memory"] instanceof WebAssembly.Memory) {
      memories.add(new WeakRef(exports["memory"]));
    }
    const entries = Object.entries(exports).map(([name, value]) => [name, timed(value)]);
    return { exports: Object.fromEntries(entries) };
  },
});

/** Local workerd's clock runs on between I/O, other than in production. */
function timed(value: WebAssembly.ExportValue): WebAssembly.ExportValue {
  if (typeof value !== "function") return value;
  return (...args: unknown[]) => {
    const started = performance.now();
    try {
      return (value as (...args: unknown[]) => unknown)(...args);
    } finally {
      seen.coreMs += performance.now() - started;
    }
  };
}

/**
 * Looks at the memories; a peak between two looks is not missed, since memory of WebAssembly never
 * shrinks.
 */
function lookAtMemory(): number {
  let total = 0;
  for (const reference of memories) {
    const bytes = reference.deref()?.buffer.byteLength;
    if (bytes === undefined) memories.delete(reference);
    else {
      total += bytes;
      largestBytes = Math.max(largestBytes, bytes);
    }
  }
  wasmPeakBytes = Math.max(wasmPeakBytes, total);
  return total;
}

// The inspector asks for it in the middle of a request (memory.ts).
Object.assign(globalThis, { benchWasmBytes: lookAtMemory });

export function probed<Env extends { readonly DB?: D1Database }>(
  worker: Required<Pick<ExportedHandler<Env>, "fetch">>,
): ExportedHandler<Env> {
  let isCounting = false;
  return {
    async fetch(request, env, ctx) {
      if (!isCounting && env.DB !== undefined) {
        count(env.DB);
        isCounting = true;
      }
      const { pathname, search } = new URL(request.url);
      if (pathname !== kProbePath) return worker.fetch(request, env, ctx);
      if (search === "?reset") {
        wasmPeakBytes = 0;
        largestBytes = 0;
      }
      if (search === "?settle" && env.DB !== undefined) await settle(env.DB);
      const wasmBytes = lookAtMemory();
      return Response.json({ ...seen, wasmBytes, wasmPeakBytes, largestBytes } satisfies Seen);
    },
  };
}

/**
 * Empties the database's journal: a commit that leaves 1,000 pages or more in it moves them into
 * the database file, and the next one begins it anew. Else a step would pay for what the one before
 * it left there.
 */
async function settle(db: D1Database): Promise<void> {
  const filler = "INSERT INTO bench_filler (data) VALUES (zeroblob(1500000))";
  await db.batch(
    [
      "CREATE TABLE IF NOT EXISTS bench_filler (data BLOB)",
      "DELETE FROM bench_filler",
      ...[filler, filler, filler],
    ].map((sql) => db.prepare(sql)),
  );
  await db.prepare("INSERT INTO bench_filler (data) VALUES (NULL)").all();
}

/** Both Workers use `all` and `batch` and nothing else of D1. */
function count(db: D1Database): void {
  const add = ({ meta }: D1Result) => {
    seen.rowsRead += meta.rows_read;
    seen.rowsWritten += meta.rows_written;
    seen.statements += 1;
    seen.sqlMs += meta.duration;
  };
  const statements = Object.getPrototypeOf(db.prepare("SELECT 1")) as D1PreparedStatement;
  const all = statements.all;
  statements.all = async function <T>(this: D1PreparedStatement) {
    lookAtMemory();
    const started = performance.now();
    const result = await all.call(this);
    seen.d1Ms += performance.now() - started;
    seen.calls += 1;
    add(result);
    return result as D1Result<T>;
  };
  const databases = Object.getPrototypeOf(db) as D1Database;
  const batch = databases.batch;
  databases.batch = async function <T>(this: D1Database, given: D1PreparedStatement[]) {
    lookAtMemory();
    const started = performance.now();
    const results = await batch.call(this, given);
    seen.d1Ms += performance.now() - started;
    seen.calls += 1;
    for (const result of results) add(result);
    return results as D1Result<T>[];
  };
}
