// Clients that import, edit, sync, create and read at once, repeat what was cut off until it is
// acknowledged, and keep a ledger of it.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Client } from "../contract/client.ts";
import {
  assertProblem,
  type Place,
  type Property,
  type SourceProperty,
  type SyncAnswer,
  type TargetProperty,
} from "../contract/rows.ts";
import { importAnswer } from "../contract/world.ts";
import {
  type Creation,
  type Edit,
  editedValue,
  emptyLedger,
  type ImportSet,
  itemsOf,
  type Ledger,
  liveCount,
} from "./ledger.ts";
import type { Random } from "./random.ts";

/** How many of each kind of request were acknowledged, and what else happened. */
export type Counts = Record<
  "imports" | "edits" | "syncs" | "creations" | "reads" | "cutOff" | "unavailable",
  number
>;

export function noCounts(): Counts {
  return { imports: 0, edits: 0, syncs: 0, creations: 0, reads: 0, cutOff: 0, unavailable: 0 };
}

export class Load {
  readonly ledger: Ledger;
  readonly counts: Counts;
  private readonly connect: () => Client;
  private readonly random: Random;
  private readonly clients: Promise<void>[] = [];
  private stopping = false;
  private inFlight = 0;
  private gate: Promise<void> | null = null;
  private openGate: () => void = () => undefined;
  private failure: Error | undefined;

  /** `connect` is asked for every request: a server that was killed may come back elsewhere. */
  constructor(connect: () => Client, random: Random, ledger = emptyLedger(), counts = noCounts()) {
    this.connect = connect;
    this.random = random;
    this.ledger = ledger;
    this.counts = counts;
  }

  /** Further clients with the same ledger, which are held and let go by themselves. */
  beside(): Load {
    return new Load(this.connect, this.random, this.ledger, this.counts);
  }

  /** Lets a client do its step again and again until `finish`. */
  start(step: () => Promise<void>): void {
    const work = async (): Promise<void> => {
      while (!this.stopping) {
        await this.pass();
        await step();
      }
    };
    this.clients.push(
      work().catch((error: unknown) => {
        this.failure ??= error instanceof Error ? error : new Error(String(error));
        this.openGate();
      }),
    );
  }

  /** From here on no request begins; those that have begun go on. */
  hold(): void {
    this.gate ??= new Promise((open) => {
      this.openGate = () => {
        this.gate = null;
        open();
      };
    });
  }

  /** Waits, up to a limit, until all requests that have begun are answered or cut off. */
  async quiet(limitMs: number): Promise<void> {
    const deadline = Date.now() + limitMs;
    while (this.inFlight > 0 && Date.now() < deadline) await sleep(5);
  }

  /** Waits until so many more requests are acknowledged, and fails where they are not. */
  progress(requests: number, limitMs: number): Promise<void> {
    const wanted = this.acknowledged + requests;
    return this.until(() => this.acknowledged >= wanted, `${requests} more requests`, limitMs);
  }

  /** Waits for a state that the clients bring about, and fails where they do not, or one has failed. */
  async until(holds: () => boolean, what: string, limitMs: number): Promise<void> {
    const deadline = Date.now() + limitMs;
    while (!holds()) {
      if (this.failure !== undefined) throw this.failure;
      assert.ok(Date.now() < deadline, what);
      await sleep(1);
    }
  }

  private get acknowledged(): number {
    const { imports, edits, syncs, creations, reads } = this.counts;
    return imports + edits + syncs + creations + reads;
  }

  resume(): void {
    this.openGate();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Ends every client where it stands, for a test that has failed. */
  abandon(): void {
    this.failure ??= new Error("the test has failed");
    this.openGate();
  }

  /** Lets every client bring what it has begun to its end. Throws what a client has found wrong. */
  async finish(): Promise<void> {
    this.stopping = true;
    this.openGate();
    await Promise.all(this.clients.splice(0));
    this.stopping = false;
    if (this.failure !== undefined) throw this.failure;
  }

  async importNext(set: ImportSet): Promise<void> {
    set.attempted = set.acknowledged + 1;
    const mode = set.full ? "?mode=full" : "";
    const raw = JSON.stringify({ data: itemsOf(set, set.attempted) });
    const path = `/sources/${set.source.id}/import${mode}`;
    const send = (client: Client): Promise<Answer> => client.post(path, undefined, { raw });
    const { created, updated, skipped } = importAnswer(await this.persist(send)).stats;
    assert.equal(created + updated + skipped, liveCount(set), "all items of a set");
    set.acknowledged = set.attempted;
    this.counts.imports += 1;
  }

  async syncNow(source: Place, target: Place): Promise<void> {
    const fed = this.ledger.sets.filter((set) => set.source.id === source.id);
    const before = fed.map((set) => set.acknowledged);
    const path = `/sync/${source.id}/${target.id}`;
    const told = (await this.persist((client) => client.post(path))).json<SyncAnswer>();
    const { created, updated, skipped, warnings } = told.stats;
    const live = fed.reduce((sum, set) => sum + liveCount(set), 0);
    assert.equal(created + updated + skipped + warnings, live, "all live properties");
    for (const [at, set] of fed.entries()) set.synced = Math.max(set.synced, before[at] ?? 0);
    const { sync_id, stats } = told;
    this.ledger.syncs.push({ source_id: source.id, target_id: target.id, sync_id, stats });
    this.counts.syncs += 1;
  }

  async edit(edit: Edit): Promise<void> {
    edit.attempted = edit.acknowledged + 1;
    const value = editedValue(edit.attempted);
    const path = `/targets/${edit.row.target_id}/properties/${edit.row.id}`;
    const body = { data: { [edit.field]: value } };
    const answer = await this.persist((client) => client.patch(path, body));
    const row = answer.json<TargetProperty>();
    assert.equal(row.data[edit.field] ?? null, value, "the answer shows the edit");
    edit.acknowledged = edit.attempted;
    this.counts.edits += 1;
  }

  /** Creates a source or target; `null` where nobody knows whether it was. */
  async create(kind: Creation["kind"], name: string): Promise<Place | null> {
    const creation: Creation = { kind, name, id: null };
    this.ledger.creations.push(creation);
    const type = kind === "sources" ? "json" : "internal";
    await this.pass();
    const answer = await this.sendOnce((client) => client.post(`/${kind}`, { name, type }));
    if (answer?.status !== 201) {
      await this.failed(answer);
      return null;
    }
    const place = answer.json<Place>();
    creation.id = place.id;
    this.counts.creations += 1;
    return place;
  }

  /** Reads the rows of a source on one page, which is of one moment, under the imports. */
  async read(source: Place): Promise<void> {
    const path = `/sources/${source.id}/properties?limit=1000`;
    const answer = await this.persist((client) => client.get(path));
    const live = answer.json<SourceProperty[]>().filter((row) => row.removed_at === null);
    this.assertUniform(live, (set) => set.source.id === source.id);
  }

  /** The same of a target, without what is edited. */
  async readTarget(target: Place): Promise<void> {
    const path = `/targets/${target.id}/properties?limit=1000`;
    const answer = await this.persist((client) => client.get(path));
    const edited = new Set(this.ledger.edits.map((edit) => edit.row.id));
    const rows = answer.json<TargetProperty[]>();
    const synced = rows.filter((row) => row.sync_status === "synced" && !edited.has(row.id));
    this.assertUniform(synced, (set) => set.target.id === target.id);
  }

  /** No set shows two generations at once. */
  private assertUniform(rows: readonly Property[], concerns: (set: ImportSet) => boolean): void {
    for (const set of this.ledger.sets) {
      if (!concerns(set) || set.stride > 1) continue;
      const own = rows.filter((row) => row.external_id.startsWith(`${set.prefix}-`));
      const generations = new Set(own.map((row) => row.data["generation"]));
      assert.ok(generations.size <= 1, `${set.prefix} shows ${[...generations].join(" and ")}`);
    }
    this.counts.reads += 1;
  }

  /** Repeats a request until it is acknowledged: whether it happened, nobody knows before. */
  private async persist(send: (client: Client) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      await this.pass();
      const answer = await this.sendOnce(send);
      if (answer?.status === 200) return answer;
      await this.failed(answer);
    }
  }

  private async pass(): Promise<void> {
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
  }

  private async sendOnce(send: (client: Client) => Promise<Answer>): Promise<Answer | null> {
    this.inFlight += 1;
    try {
      // What wrangler answers in the Worker's place, while that is dead, lacks the request's id,
      // and the client rejects it.
      return await send(this.connect()).catch(() => null);
    } finally {
      this.inFlight -= 1;
    }
  }

  private async failed(answer: Answer | null): Promise<void> {
    if (answer === null) {
      this.counts.cutOff += 1;
    } else {
      assertUnavailable(answer);
      this.counts.unavailable += 1;
    }
    await sleep(this.random.between(10, 50));
  }
}

export function assertUnavailable(answer: Answer): void {
  assertProblem(answer, 503);
  assert.match(answer.header("retry-after") ?? "", /^[1-9]\d*$/, "Retry-After in seconds");
}
