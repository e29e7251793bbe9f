// The loop: starts an invocation of the core, performs the effects it asks for, resumes it with the
// replies, until it is done. The loop decides nothing. What it adds is what only a host can know:
// whether the client is still there, whether the core is still alive, and which of two answers was
// the first.

import type { Effect, Reply, Start, Step, StoredAnswer, StoredAnswers } from "./core/abi.ts";
import { FrameTooLarge } from "./core/frame.ts";
import type { Lease, Pool } from "./core/pool.ts";
import { RequestBody } from "./request_body.ts";
import { ResponseBody } from "./response_body.ts";
import type { Sealer } from "./seal.ts";
import type { Store } from "./store/store.ts";

/** What an entry point brings along. */
export type Host = {
  readonly pool: Pool;
  readonly answers: StoredAnswers;
  readonly store: Store;
  readonly sealer: () => Promise<Sealer | undefined>;
  readonly sealing: boolean;
  readonly varsJson: string;
  /** The bytes of a static file, `undefined` where there is none. */
  readonly asset: (path: string) => Promise<ReadableStream<Uint8Array> | undefined>;
};

export type Driven = {
  readonly response: Promise<Response>;
  /** Settles when the invocation has ended; the entry point keeps the request alive until then. Never rejects. */
  readonly finished: Promise<void>;
};

export function drive(host: Host, request: Request): Driven {
  const invocation = new Invocation(host, request);
  return { response: invocation.response, finished: invocation.run() };
}

class Invocation {
  readonly response: Promise<Response>;
  private readonly host: Host;
  private readonly request: Request;
  private readonly requestId = crypto.randomUUID();
  private readonly requestBody: RequestBody;
  private readonly signal: AbortSignal | undefined;
  private responseBody: ResponseBody | undefined;
  private resolve: (response: Response) => void = () => {};
  private answered = false;

  constructor(host: Host, request: Request) {
    this.host = host;
    this.request = request;
    this.signal = request.signal;
    this.requestBody = new RequestBody(request.body, request.headers.get("content-length"));
    this.response = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  async run(): Promise<void> {
    let lease: Lease | undefined;
    try {
      lease = this.host.pool.tryAcquire() ?? (await this.host.pool.acquire());
      if (lease === undefined) {
        await this.requestBody.dismiss();
        return this.answerStored(this.host.answers.overloaded);
      }
      await this.loop(lease);
    } catch (error) {
      await this.requestBody.dismiss();
      console.error(
        `${this.requestId}: the core failed: ${error instanceof Error ? error.stack : String(error)}`,
      );
      lease?.discard();
    }
    // An invocation that is over has answered; if not, that is a failure like any other.
    this.answerStored(this.host.answers.trap);
    await this.responseBody?.abort("the core failed");
  }

  private async loop(lease: Lease): Promise<void> {
    let step = lease.instance.start(this.start());
    while (!step.done) {
      const replies = await this.performAll(step, lease);
      lease.touch();
      step = resume(lease, replies);
    }
    // Nothing is asked of the core any more: the next invocation may have the instance while this
    // one is sent.
    lease.instance.close();
    lease.release();
    // Before the answer: `wrangler dev` holds an answer back until it has drained a body that
    // nobody has touched.
    await this.requestBody.dismiss();
    await this.performAll(step, lease);
  }

  private start(): Start {
    const { url, method, headers, body } = this.request;
    return {
      method,
      target: targetOf(url),
      headers: [...headers],
      body: body !== null,
      time: Date.now(),
      requestId: this.requestId,
      store: this.host.store.kind,
      varsJson: this.host.varsJson,
      sealing: this.host.sealing,
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
        return this.clientLeft ? cancelled : this.host.store.query(effect.statements);
      case "batch":
        return this.host.store.batch(effect.statements);
      case "read_body":
        return this.readBody();
      case "respond":
        return this.respond(effect);
      case "write":
        return this.write(effect);
      case "end":
        return this.bodyOf(effect)
          .end()
          .then(() => done);
      case "abort":
        return this.bodyOf(effect)
          .abort("the answer was cut off")
          .then(() => done);
      case "seal":
        return this.seal(effect.plain, effect.context);
      case "reserve_memory":
        return lease
          .reserve(effect.bytes)
          .then((held) => (held ? done : { ok: false, error: "overloaded" }));
      case "log":
        console[effect.level](`${this.requestId}: ${effect.message}`);
        return done;
      default: {
        const unknown: never = effect;
        throw new Error(`no such effect: ${String(unknown)}`);
      }
    }
  }

  private get clientLeft(): boolean {
    return this.signal?.aborted === true;
  }

  private async readBody(): Promise<Reply> {
    if (this.clientLeft) return cancelled;
    const reply = await this.requestBody.read();
    return !reply.ok && this.clientLeft ? cancelled : reply;
  }

  private async write(effect: Effect & { effect: "write" }): Promise<Reply> {
    return (await this.bodyOf(effect).write(effect.bytes)) ? done : cancelled;
  }

  private bodyOf(effect: Effect): ResponseBody {
    if (this.responseBody === undefined)
      throw new Error(`the core asks for ${effect.effect} without a streamed answer`);
    return this.responseBody;
  }

  private async seal(plain: Uint8Array<ArrayBuffer>, context: string): Promise<Reply> {
    const sealer = await this.host.sealer();
    if (sealer === undefined) return { ok: false, error: "no_key" };
    return { ok: true, ...(await sealer.seal(plain, context)) };
  }

  private respond(effect: Effect & { effect: "respond" }): Promise<Reply> | Reply {
    if (this.answered) throw new Error("the core answers twice");
    const { status, headers, body } = effect;
    switch (body.kind) {
      case "none":
        this.answer(status, headers, null);
        return done;
      case "bytes":
        this.answer(status, headers, body.bytes);
        return done;
      case "stream":
        this.responseBody = new ResponseBody();
        this.answer(status, headers, this.responseBody.stream);
        return done;
      case "asset":
        return this.host.asset(body.path).then((bytes) => {
          if (bytes === undefined) return { ok: false, error: "refused" };
          this.answer(status, headers, bytes);
          return done;
        });
      default: {
        const unknown: never = body;
        throw new Error(`no such body: ${String(unknown)}`);
      }
    }
  }

  private answerStored(answer: StoredAnswer): void {
    if (this.answered) return;
    this.answer(
      answer.status,
      answer.headers,
      this.request.method === "HEAD" ? null : answer.bytes,
    );
  }

  private answer(
    status: number,
    list: StoredAnswer["headers"],
    body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
  ): void {
    const headers = new Headers();
    for (const [name, value] of list) headers.append(name, value);
    headers.set("x-request-id", this.requestId);
    this.resolve(new Response(body, { status, headers }));
    this.answered = true;
  }
}

const done: Reply = { ok: true };
const cancelled: Reply = { ok: false, error: "cancelled" };

/** Replies that do not fit into a frame are refused instead: the core asked for more than it can take. */
function resume(lease: Lease, replies: readonly Reply[]): Step {
  const now = Date.now();
  try {
    return lease.instance.resume(now, replies);
  } catch (error) {
    if (!(error instanceof FrameTooLarge)) throw error;
    console.error(error.message);
    const refused = replies.map(
      (reply): Reply => ("results" in reply ? { ok: false, error: "refused" } : reply),
    );
    return lease.instance.resume(now, refused);
  }
}

/** Path and query as they were received, without a parser that would tidy them. */
function targetOf(url: string): string {
  const path = url.indexOf("/", url.indexOf("//") + 2);
  return path === -1 ? "/" : url.slice(path);
}
