// A host as the loop needs one: the fixture's core, and a store and files that are told what to say.

import { BodyRoom } from "../../host/shared/body_room.ts";
import { Instance } from "../../host/shared/core/instance.ts";
import { Pool } from "../../host/shared/core/pool.ts";
import { defaultPoolOptions, type PoolOptions } from "../../host/shared/core/pool_options.ts";
import { drive, type Host } from "../../host/shared/drive.ts";
import type { Asset } from "../../host/shared/exchange.ts";
import type { Statement, Store, StoreOutcome } from "../../host/shared/store/store.ts";
import { Turns } from "../../host/shared/turns.ts";
import { compileFixture } from "./script.ts";

export const module: WebAssembly.Module = compileFixture();
export const quick: PoolOptions = {
  ...defaultPoolOptions,
  streamBytes: new Instance(module).memoryBytes,
  waitMs: 50,
  pollMs: 1,
};

/** Of a batch that waits for nobody. */
export const noTurn = { turn: "", at_once: 0, unseen: false };

export class FakeStore implements Store {
  readonly kind = "fake";
  readonly calls: { readonly doing: string; readonly statements: readonly Statement[] }[] = [];
  outcome: StoreOutcome = { ok: true, results: [] };

  async query(statements: readonly Statement[]): Promise<StoreOutcome> {
    this.calls.push({ doing: "query", statements });
    return this.outcome;
  }

  async batch(statements: readonly Statement[]): Promise<StoreOutcome> {
    this.calls.push({ doing: "batch", statements });
    return this.outcome;
  }
}

export function makeHost(options = quick): { host: Host; store: FakeStore; pool: Pool } {
  const first = new Instance(module);
  const responses = first.storedResponses();
  const pool = new Pool(module, first, options);
  const store = new FakeStore();
  const host = {
    pool,
    apart: { paths: new Set(["/apart"]), pool: new Pool(module, new Instance(module)) },
    room: new BodyRoom(),
    turns: new Turns(),
    count: undefined,
    addressOf: () => "192.0.2.1",
    responses,
    store,
    varsJson: "{}",
    secretsJson: "{}",
    sealer: async () => undefined,
    asset: async (path: string, ifNoneMatch: string | null): Promise<Asset | undefined> =>
      path === "/a.txt"
        ? {
            etag: '"a"',
            file: ifNoneMatch === '"a"' ? { unchanged: 304 } : new Response("asset bytes").body!,
          }
        : undefined,
  };
  return { host: host as Host, store, pool };
}

type Init = {
  scheme?: "http" | "https";
  body?: BodyInit;
  headers?: Record<string, string>;
  method?: string;
  signal?: AbortSignal;
};

export function run(
  host: Host,
  ops: string,
  init: Init = {},
): { response: Promise<Response>; finished: Promise<void> } {
  const headers = { ...init.headers, "x-script": ops };
  const extra = init.body instanceof ReadableStream ? { duplex: "half" } : {};
  const method = init.method ?? (init.body === undefined ? "GET" : "POST");
  const { scheme = "http", ...others } = init;
  const request = new Request(`${scheme}://host/path?q=1`, {
    ...others,
    ...extra,
    method,
    headers,
  } as RequestInit);
  return drive(host, request as unknown as Parameters<typeof drive>[1]) as ReturnType<typeof run>;
}

export async function quietly<T>(body: () => Promise<T>, lines: string[] = []): Promise<T> {
  const error = console.error;
  console.error = (line) => lines.push(String(line));
  try {
    return await body();
  } finally {
    console.error = error;
  }
}

export async function reply(response: Response): Promise<{ replies: Record<string, unknown>[] }> {
  const bytes = Buffer.from(await response.arrayBuffer());
  return JSON.parse(bytes.subarray(4, 4 + bytes.readUInt32LE(0)).toString());
}
