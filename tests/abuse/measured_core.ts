// The real module, one fresh instance for each request, driven as host/shared/drive.ts does; what the
// request takes of memory, and of the processor, is measured. Whatever a request writes is undone behind
// it, so that all requests find the same store.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Reply, Step } from "../../host/shared/core/abi.ts";
import type { Effect } from "../../host/shared/core/effects.ts";
import { Instance } from "../../host/shared/core/instance.ts";
import { readEnvironment } from "../../host/shared/environment.ts";
import { Sealer } from "../../host/shared/seal.ts";
import type { StatementTable } from "../../host/shared/store/store.ts";
import { readTable } from "../schema/core.ts";
import { SqliteEngine } from "../schema/engines.ts";

const build = resolve(import.meta.dirname, "../../build", process.env["WASM_BUILD"] ?? "wasi");
/** As host/shared/request_body.ts gathers small bodies, and hands them over. */
const kGatheredBytes = 1024 * 1024;
const kPartBytes = 256 * 1024;

export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

export interface Measured {
  readonly status: number;
  readonly text: string;
  /** Of the instance, beyond what a fresh one has, and what it asked for beforehand. */
  readonly grownBytes: number;
  readonly reservedBytes: number;
  /** What grew before the first reservation. */
  readonly unreservedBytes: number;
  readonly cpuMs: number;
}

export const sealingKey = Buffer.alloc(32).toString("base64");
const { varsJson, secretsJson } = readEnvironment({
  ADMIN_TOKEN: "a token of more than 24 characters",
  API_KEY_PEPPER: "a pepper of more than 32 characters",
  ENCRYPTION_KEY: Buffer.alloc(32).toString("base64"),
  TENANT_SIGNUP: "open",
});

export class MeasuredCore {
  readonly freshBytes: number;
  readonly store: SqliteEngine;
  private readonly module: WebAssembly.Module;

  constructor() {
    const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
    this.module = new Module(readFileSync(join(build, "sync_manager.wasm")));
    this.store = new SqliteEngine(readTable<StatementTable>("sqlite"));
    this.freshBytes = new Instance(this.module).memoryBytes;
  }

  /** Performs it, and undoes what it wrote. */
  async measure(asked: Asked): Promise<Measured> {
    this.store.exec("SAVEPOINT request");
    try {
      return await this.perform(asked);
    } finally {
      this.store.exec("ROLLBACK TO request; RELEASE request");
    }
  }

  async perform(asked: Asked): Promise<Measured> {
    return new Exchange(new Instance(this.module), this.store, asked).run();
  }
}

class Exchange {
  private readonly instance: Instance;
  private readonly store: SqliteEngine;
  private readonly asked: Asked;
  private readonly freshBytes: number;
  private readBytes = 0;
  private cpuMicros = 0;
  private status = 0;
  private reservedBytes = 0;
  private unreservedBytes = 0;
  private readonly parts: Uint8Array[] = [];

  constructor(instance: Instance, store: SqliteEngine, asked: Asked) {
    this.instance = instance;
    this.store = store;
    this.asked = asked;
    this.freshBytes = instance.memoryBytes;
  }

  async run(): Promise<Measured> {
    const { method, target, headers, body } = this.asked;
    const cause = {
      kind: "request",
      method,
      target,
      headers,
      body: body !== undefined,
      arrived: (body?.length ?? 0) <= kGatheredBytes,
      address: "192.0.2.1",
    } as const;
    let step = this.call(() =>
      this.instance.start({
        cause,
        time: Date.now(),
        requestId: "r",
        store: "sqlite",
        varsJson,
        secretsJson,
        random: new Uint8Array(64),
      }),
    );
    for (;;) {
      const replies: Reply[] = [];
      for (const effect of step.effects) replies.push(await this.reply(effect));
      if (step.done) break;
      step = this.call(() => this.instance.resume(Date.now(), replies));
    }
    return {
      status: this.status,
      text: Buffer.concat(this.parts).toString("utf8"),
      grownBytes: this.grown(),
      reservedBytes: this.reservedBytes,
      unreservedBytes: this.reservedBytes === 0 ? this.grown() : this.unreservedBytes,
      cpuMs: this.cpuMicros / 1000,
    };
  }

  private grown(): number {
    return this.instance.memoryBytes - this.freshBytes;
  }

  private call(body: () => Step): Step {
    const before = process.threadCpuUsage();
    try {
      return body();
    } finally {
      const { user, system } = process.threadCpuUsage(before);
      this.cpuMicros += user + system;
    }
  }

  private async reply(effect: Effect): Promise<Reply> {
    switch (effect.effect) {
      case "query":
        return this.store.query(effect.statements);
      case "batch":
        return this.store.batch(effect.statements);
      case "read_body": {
        const bytes = this.asked.body?.subarray(this.readBytes, this.readBytes + kPartBytes);
        if (bytes === undefined || bytes.length === 0) return { ok: true, members: { end: true } };
        this.readBytes += bytes.length;
        return { ok: true, bytes };
      }
      case "respond":
        this.status = effect.status;
        if (effect.body.kind === "bytes") this.parts.push(effect.body.bytes);
        return { ok: true };
      case "write":
        this.parts.push(effect.bytes);
        return { ok: true };
      case "seal": {
        const sealer = await Sealer.create(sealingKey);
        const { keyId, sealed } = await (sealer as Sealer).seal(effect.plain, effect.context);
        return { ok: true, members: { key_id: keyId, sealed } };
      }
      case "reserve_memory":
        if (this.reservedBytes === 0) this.unreservedBytes = this.grown();
        this.reservedBytes = Math.max(this.reservedBytes, effect.bytes);
        return { ok: true };
      default:
        return { ok: true };
    }
  }
}
