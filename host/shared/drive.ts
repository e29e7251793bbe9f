// The loop: starts an invocation of the core, performs the effects it asks for, resumes it with the
// replies, until it is done. The loop decides nothing. What it adds is whether the core is still
// alive; what concerns a client is its exchange's (exchange.ts), which a wake does without.

import type { BodyRoom, Client } from "./body_room.ts";
import type { Cause, Reply, Start, Step, StoredResponses } from "./core/abi.ts";
import { cancelled, done } from "./core/abi.ts";
import type { Effect } from "./core/effects.ts";
import { FrameTooLarge } from "./core/frame.ts";
import type { Lease, Need, Pool } from "./core/pool.ts";
import { Exchange, type ReadAsset } from "./exchange.ts";
import { Credit } from "./patience.ts";
import type { Sealer } from "./seal.ts";
import type { Statement, Store } from "./store/store.ts";
import type { Turn, Turns } from "./turns.ts";

/** What an entry point brings along. */
export type Host = {
  readonly pool: Pool;
  /** Paths that are answered although the pool is exhausted, by a pool of their own. */
  readonly apart: { readonly paths: ReadonlySet<string>; readonly pool: Pool };
  readonly room: BodyRoom;
  readonly turns: Turns;
  /** Counts a request of somebody, and says whether it may go on; none where nothing counts here. */
  readonly count: ((of: string) => Promise<boolean>) | undefined;
  /** The client's, where the platform says it. */
  readonly addressOf: (request: Request) => string | null;
  readonly responses: StoredResponses;
  readonly store: Store;
  readonly sealer: () => Promise<Sealer | undefined>;
  readonly varsJson: string;
  readonly secretsJson: string;
  readonly asset: ReadAsset;
};

/** What an invocation waits for without an instance. */
type Lack = Need | { readonly kind: "body" } | { readonly kind: "turn"; readonly turn: Turn };

export type Driven = {
  readonly response: Promise<Response>;
  /** Settles when the invocation has ended; the entry point keeps the request alive until then. Never rejects. */
  readonly finished: Promise<void>;
};

export function drive(host: Host, request: Request): Driven {
  const requestId = crypto.randomUUID();
  const { paths, pool } = host.apart;
  const own = paths.has(new URL(request.url).pathname) ? { ...host, pool } : host;
  const credit = new Credit(own.pool.options);
  const exchange = new Exchange(request, requestId, host.asset, host.room, credit);
  const address = host.addressOf(request) ?? "";
  const cause = (): Cause => causeOf(request, exchange.body.arrived, address);
  const invocation = new Invocation(own, requestId, cause, exchange);
  return { response: exchange.response, finished: invocation.run() };
}

/**
 * Wakes the core for what it has to do by itself. Settles when that is done, and never rejects:
 * there is nobody to tell but the log.
 */
export function wake(host: Host, scheduledTime: number): Promise<void> {
  const cause: Cause = { kind: "wake", scheduledTime };
  return new Invocation(host, crypto.randomUUID(), () => cause, undefined).run();
}

class Invocation {
  private readonly host: Host;
  private readonly requestId: string;
  private readonly cause: () => Cause;
  private readonly exchange: Exchange | undefined;
  /** Whether it has done nothing but what may be done again, so that it can begin anew. */
  private repeatable = true;
  /** Whether a batch was sent, so that something may have been committed. */
  private batchSent = false;
  /** Whether it has waited for its turn in vain: it does not wait again. */
  private turnedAway = false;
  /** What came of counting it, which is done once, however often it begins anew. */
  private counted: Promise<Reply> | undefined;

  constructor(host: Host, requestId: string, cause: () => Cause, exchange: Exchange | undefined) {
    this.host = host;
    this.requestId = requestId;
    this.cause = cause;
    this.exchange = exchange;
  }

  get left(): boolean {
    return this.exchange?.left === true;
  }

  async run(): Promise<void> {
    let lease: Lease | undefined;
    const nobody = { party: "", credit: new Credit(this.host.pool.options), left: false };
    const client: Client = this.exchange ?? nobody;
    try {
      await this.exchange?.body.gatherArrived();
      let lack: Lack | undefined = { kind: "nothing" };
      while (lack !== undefined) {
        const need = await this.await(lack);
        lease = need && (await this.host.pool.acquire(need, client));
        if (lease === undefined) return await this.giveUp();
        lack = await this.loop(lease);
      }
    } catch (error) {
      this.logError(`the core failed: ${error instanceof Error ? error.stack : String(error)}`);
      lease?.discard();
    } finally {
      this.host.turns.release(this);
    }
    // An invocation that is over has answered; if not, that is a failure like any other.
    const { trap, trapAfterBatch } = this.host.responses;
    await this.exchange?.respondStored(this.batchSent ? trapAfterBatch : trap);
    await this.exchange?.cutOff("the core failed");
    await this.exchange?.end();
  }

  /** Waits for what needs no instance; nothing where it did not come in time. */
  private async await(lack: Lack): Promise<Need | undefined> {
    switch (lack.kind) {
      case "body":
        return (await this.exchange?.body.gather()) === true ? { kind: "nothing" } : undefined;
      case "turn":
        return (await this.host.turns.take(this, lack.turn)) ? { kind: "nothing" } : undefined;
      default:
        return lack;
    }
  }

  /**
   * Runs to the end; or to where the core needs what is not there now, if it can begin anew: then
   * it is waited for without an instance. Answers with what it lacks, if anything.
   */
  private async loop(lease: Lease): Promise<Lack | undefined> {
    this.exchange?.body.rewind();
    let step = lease.instance.start(this.start());
    while (!step.done) {
      const lack = this.lackOf(step, lease);
      if (lack !== undefined) {
        giveBack(lease);
        return lack;
      }
      const replies = await this.performAll(step, lease);
      lease.touch();
      this.host.turns.touch(this);
      step = resume(lease, replies);
    }
    // Nothing is asked of the core any more: the next invocation may have the instance while this
    // one is sent.
    giveBack(lease);
    await this.performAll(step, lease);
    return undefined;
  }

  /** What the step has to wait for, where the invocation can begin anew behind that. */
  private lackOf(step: Step, lease: Lease): Lack | undefined {
    const body = this.exchange?.body;
    const canBeginAnew = this.repeatable && (body?.isKept ?? true);
    for (const effect of step.effects) {
      const awaitsBody = effect.effect === "read_body" && body?.isAwaited === true;
      // A body is gathered before memory is held for it.
      const gathersFirst = effect.effect === "reserve_memory" && body?.isLacking === true;
      if (canBeginAnew && (awaitsBody || gathersFirst)) return { kind: "body" };
      const turn = turnOf(effect);
      if (turn && !this.host.turns.tryTake(this, turn) && canBeginAnew) {
        return { kind: "turn", turn };
      }
      const need = needOf(effect);
      if (need === undefined) continue;
      // What is large begins with an instance of its size.
      const elsewhere = canBeginAnew && need.kind === "memory" && need.turn !== lease.terms.turn;
      if (elsewhere || (!lease.tryHold(need) && canBeginAnew)) return need;
    }
    return undefined;
  }

  private async giveUp(): Promise<void> {
    if (this.exchange === undefined) return this.logError("no core was free for a wake");
    await this.exchange.respondStored(this.host.responses.overloaded);
    await this.exchange.end();
  }

  private start(): Start {
    return {
      cause: this.cause(),
      time: Date.now(),
      requestId: this.requestId,
      store: this.host.store.kind,
      varsJson: this.host.varsJson,
      secretsJson: this.host.secretsJson,
      random: crypto.getRandomValues(new Uint8Array(64)),
    };
  }

  /** Effects of a step are independent: they run together, and a single one without the machinery for several. */
  private async performAll(step: Step, lease: Lease): Promise<readonly Reply[]> {
    const [only, ...others] = step.effects;
    if (only === undefined) return [];
    if (others.length === 0) return [await this.perform(only, lease)];
    return Promise.all(step.effects.map((effect) => this.perform(effect, lease)));
  }

  private perform(effect: Effect, lease: Lease): Promise<Reply> | Reply {
    switch (effect.effect) {
      case "query":
        return this.left ? cancelled : this.host.store.query(effect.statements);
      case "batch":
        if (!effect.unseen) this.repeatable = false;
        return this.batch(effect.statements, turnOf(effect));
      case "read_body":
        return this.clientOf(effect).perform(effect, lease);
      case "respond":
      case "write":
      case "end":
      case "abort":
        this.repeatable = false;
        return this.clientOf(effect).perform(effect, lease);
      case "seal":
        return this.seal(effect.plain, effect.context);
      case "reserve_memory":
        return lease
          .hold({ kind: "memory", bytes: effect.bytes, turn: effect.turn })
          .then((held) => (held ? done : { ok: false, error: "overloaded" }));
      case "count":
        this.counted ??= this.count(effect.of);
        return this.counted;
      case "log":
        console[effect.level](`${this.requestId}: ${effect.message}`);
        return done;
      default: {
        const unknown: never = effect;
        throw new Error(`no such effect: ${String(unknown)}`);
      }
    }
  }

  private clientOf({ effect }: Effect): Exchange {
    if (this.exchange === undefined)
      throw new Error(`the core asks for ${effect}, but a wake has no client`);
    return this.exchange;
  }

  private async batch(statements: readonly Statement[], turn: Turn | undefined): Promise<Reply> {
    if (turn && !this.turnedAway) this.turnedAway = !(await this.host.turns.take(this, turn));
    if (turn && this.turnedAway) return { ok: false, error: "overloaded" };
    this.batchSent = true;
    return this.host.store.batch(statements);
  }

  private async count(of: string): Promise<Reply> {
    if (this.host.count === undefined) return { ok: false, error: "no_counter" };
    return (await this.host.count(of)) ? done : { ok: false, error: "spent" };
  }

  private async seal(plain: Uint8Array<ArrayBuffer>, context: string): Promise<Reply> {
    const sealer = await this.host.sealer();
    if (sealer === undefined) return { ok: false, error: "no_key" };
    const { keyId, sealed } = await sealer.seal(plain, context);
    return { ok: true, members: { key_id: keyId, sealed } };
  }

  private logError(message: string): void {
    console.error(`${this.requestId}: ${message}`);
  }
}

function giveBack(lease: Lease): void {
  lease.instance.close();
  lease.release();
}

/** Of a batch that has one. */
function turnOf(effect: Effect): Turn | undefined {
  return effect.effect === "batch" && effect.turn.name !== "" ? effect.turn : undefined;
}

/** What the effect needs beside the instance. */
function needOf(effect: Effect): Need | undefined {
  if (effect.effect === "reserve_memory") {
    return { kind: "memory", bytes: effect.bytes, turn: effect.turn };
  }
  if (effect.effect === "respond" && effect.body.kind === "stream") return { kind: "stream" };
  return undefined;
}

/** Replies that do not fit into a frame are refused instead: the core asked for more than it can take. */
function resume(lease: Lease, replies: readonly Reply[]): Step {
  const now = Date.now();
  try {
    return lease.instance.resume(now, replies);
  } catch (error) {
    if (!(error instanceof FrameTooLarge)) throw error;
    console.error(error.message);
    const refused = replies.map(
      (reply): Reply =>
        reply.ok && reply.results !== undefined ? { ok: false, error: "refused" } : reply,
    );
    return lease.instance.resume(now, refused);
  }
}

function causeOf(
  { method, url, headers, body }: Request,
  arrived: boolean,
  address: string,
): Cause {
  return {
    kind: "request",
    method,
    target: targetOf(url),
    headers: [...headers],
    body: body !== null,
    arrived,
    address,
  };
}

/** Path and query as they were received, without a parser that would tidy them. */
function targetOf(url: string): string {
  const path = url.indexOf("/", url.indexOf("//") + 2);
  return path === -1 ? "/" : url.slice(path);
}
