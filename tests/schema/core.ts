// The real core on a store of the test's choice, called as an entry point calls it.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { BodyRoom } from "../../host/shared/body_room.ts";
import { Instance } from "../../host/shared/core/instance.ts";
import { Pool } from "../../host/shared/core/pool.ts";
import { drive, type Host, wake } from "../../host/shared/drive.ts";
import { readEnvironment } from "../../host/shared/environment.ts";
import { Sealer } from "../../host/shared/seal.ts";
import type { StatementTable, Store } from "../../host/shared/store/store.ts";
import { Turns } from "../../host/shared/turns.ts";

const build = resolve(import.meta.dirname, "../../build", process.env["WASM_BUILD"] ?? "wasi");

/** What `Authorization: Bearer` has to bring along for the administrator's routes. */
export const kAdminToken = "the token of an administrator";

/** The statements' texts in a dialect, as the build made them for hosts. */
export function readTable<Table extends StatementTable>(dialect: string): Table {
  const file = join(build, `generated/store/statements.${dialect}.json`);
  return JSON.parse(readFileSync(file, "utf8")) as Table;
}

export interface CoreAnswer {
  readonly status: number;
  readonly text: string;
  readonly etag: string;
}

export interface Core {
  /** `body` is sent as JSON; without its length where the headers say that it is chunked. */
  call(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
    headers?: Record<string, string>,
  ): Promise<CoreAnswer>;
  /** Wakes it for the work that is due at a time. */
  wake(scheduledTime: number): Promise<void>;
}

export function openCore(store: Store, table: StatementTable): Core {
  const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
  const module = new Module(readFileSync(join(build, "sync_manager.wasm")));
  const first = new Instance(module);
  first.expectStatements(table.fingerprint);
  const pool = new Pool(module, first);
  const { varsJson, secretsJson, encryptionKey } = readEnvironment({
    ADMIN_TOKEN: kAdminToken,
    API_KEY_PEPPER: "a pepper of more than 32 characters",
    ENCRYPTION_KEY: Buffer.alloc(32).toString("base64"),
    TENANT_SIGNUP: "open",
    MAX_SIGNUPS_PER_HOUR: "1000",
    TRUST_SCHEDULED_TIME: "true",
  });
  const host: Host = {
    responses: first.storedResponses(),
    pool,
    apart: { paths: new Set(), pool },
    room: new BodyRoom(),
    turns: new Turns(),
    count: async () => true,
    addressOf: () => null,
    store,
    sealer: () => Sealer.create(encryptionKey),
    varsJson,
    secretsJson,
    asset: async () => undefined,
  };
  return {
    call: async (method, path, body, key = "", headers = {}) => {
      const text = body === undefined ? null : JSON.stringify(body);
      const request = new Request(`http://host${path}`, {
        method,
        headers: {
          "content-type": "application/json",
          "x-api-key": key,
          ...lengthOf(text, headers),
          ...headers,
        },
        body: text,
      });
      const { response, finished } = drive(host, request as unknown as Parameters<typeof drive>[1]);
      const answer = await response;
      const answered = await answer.text();
      await finished;
      return { status: answer.status, text: answered, etag: answer.headers.get("etag") ?? "" };
    },
    wake: (scheduledTime) => wake(host, scheduledTime),
  };
}

/** As any client sends it, but for what `Request` makes of a text here. */
function lengthOf(
  text: string | null,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  if (text === null || "transfer-encoding" in headers) return {};
  return { "content-length": String(Buffer.byteLength(text)) };
}
