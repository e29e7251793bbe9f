// One request and its answer, as the core's effects see them: the body that comes in, the status
// and headers that go out once, the body that may follow in parts. What only a host can know is
// here: whether the client is still there, and which of two answers was the first.

import type { BodyRoom, Client } from "./body_room.ts";
import type { Reply, StoredResponse } from "./core/abi.ts";
import { cancelled, done } from "./core/abi.ts";
import type { Effect } from "./core/effects.ts";
import type { Credit } from "./patience.ts";
import { type LentHeld, RequestBody } from "./request_body.ts";
import { ResponseBody } from "./response_body.ts";

/**
 * A static file with its entity tag: its bytes, or the status by which the platform says that the
 * reader has them already.
 */
export type Asset = {
  readonly etag: string | null;
  readonly file: ReadableStream<Uint8Array> | { readonly unchanged: number };
};

/** The file of a path, `undefined` where there is none. `ifNoneMatch` is the reader's header. */
export type ReadAsset = (path: string, ifNoneMatch: string | null) => Promise<Asset | undefined>;

/**
 * What every answer says, whatever it is: that it is of the type it names, that no page of another
 * origin may embed it, and that what it leads to does not learn from where.
 */
const fieldsOfAll = [
  ["x-content-type-options", "nosniff"],
  ["cross-origin-resource-policy", "same-origin"],
  ["referrer-policy", "no-referrer"],
] as const;
/** Beside them where the connection is encrypted: it shall stay so, for a year. */
const encryptedOnly = ["strict-transport-security", "max-age=31536000"] as const;

export type ExchangeEffect = Extract<
  Effect,
  { effect: "read_body" | "respond" | "write" | "end" | "abort" }
>;
type Respond = Extract<Effect, { effect: "respond" }>;

export class Exchange implements Client {
  readonly response: Promise<Response>;
  readonly body: RequestBody;
  readonly party: string;
  readonly credit: Credit;
  private readonly request: Request;
  private readonly requestId: string;
  private readonly readAsset: ReadAsset;
  private readonly signal: AbortSignal | undefined;
  private responseBody: ResponseBody | undefined;
  private dismissed: Promise<void> | undefined;
  private resolve: (response: Response) => void = () => {};
  private answered = false;
  private answeredWhole = false;

  constructor(
    request: Request,
    requestId: string,
    readAsset: ReadAsset,
    room: BodyRoom,
    credit: Credit,
  ) {
    this.request = request;
    this.requestId = requestId;
    this.readAsset = readAsset;
    this.signal = request.signal;
    this.party = request.headers.get("x-api-key") ?? "";
    this.credit = credit;
    const length = request.headers.get("content-length");
    this.body = new RequestBody(request.body, length, this, room);
    this.response = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  /** A client that has its whole answer may leave: what goes on then does not end with it. */
  get left(): boolean {
    return !this.answeredWhole && this.signal?.aborted === true;
  }

  /** `held` is what the client keeps from others while it is waited for. */
  perform(effect: ExchangeEffect, held: LentHeld): Promise<Reply> | Reply {
    switch (effect.effect) {
      case "read_body":
        return this.readBody(held);
      case "respond":
        return this.respond(effect, held);
      case "write":
        return this.bodyOf(effect)
          .write(effect.bytes)
          .then((taken) => (taken ? done : cancelled));
      case "end":
        return this.bodyOf(effect)
          .end()
          .then(() => done);
      case "abort":
        return this.bodyOf(effect)
          .abort("the answer was cut off")
          .then(() => done);
      default: {
        const unknown: never = effect;
        throw new Error(`no such effect: ${String(unknown)}`);
      }
    }
  }

  /** Settles when what is left of the request's body, which nobody wants behind the answer, was taken. */
  async end(): Promise<void> {
    await this.dismissed;
  }

  /** Sends a stored answer, unless another one was sent before. */
  async respondStored(answer: StoredResponse): Promise<void> {
    if (this.answered) return;
    await this.body.drain();
    this.answer(
      answer.status,
      answer.headers,
      this.request.method === "HEAD" ? null : answer.bytes,
    );
  }

  /** Cuts a streamed answer off that nobody has ended. */
  async cutOff(why: string): Promise<void> {
    await this.responseBody?.abort(why);
  }

  private async readBody(held: LentHeld): Promise<Reply> {
    if (this.left) return cancelled;
    const reply = await this.body.read(held);
    return !reply.ok && this.left ? cancelled : reply;
  }

  private bodyOf(effect: ExchangeEffect): ResponseBody {
    if (this.responseBody === undefined)
      throw new Error(`the core asks for ${effect.effect} without a streamed answer`);
    return this.responseBody;
  }

  private async respond(effect: Respond, held: LentHeld): Promise<Reply> {
    if (this.answered) throw new Error("the core answers twice");
    const { status, headers, body } = effect;
    await this.body.drain();
    switch (body.kind) {
      case "none":
        this.answer(status, headers, null);
        return done;
      case "bytes":
        this.answer(status, headers, body.bytes);
        return done;
      case "stream":
        this.responseBody = new ResponseBody(held);
        this.answer(status, headers, this.responseBody.stream);
        return done;
      case "asset":
        return this.respondAsset(status, headers, body.path);
      default: {
        const unknown: never = body;
        throw new Error(`no such body: ${String(unknown)}`);
      }
    }
  }

  private async respondAsset(
    status: number,
    headers: StoredResponse["headers"],
    path: string,
  ): Promise<Reply> {
    const asset = await this.readAsset(path, this.request.headers.get("if-none-match"));
    if (asset === undefined) return { ok: false, error: "refused" };
    const { etag, file } = asset;
    const tagged = etag === null ? headers : ([...headers, ["etag", etag]] as const);
    if ("unchanged" in file) {
      this.answer(file.unchanged, tagged, null);
    } else if (this.request.method === "HEAD") {
      await file.cancel();
      this.answer(status, tagged, null);
    } else {
      this.answer(status, tagged, file);
    }
    return done;
  }

  private answer(
    status: number,
    list: StoredResponse["headers"],
    body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
  ): void {
    // `wrangler dev` holds an answer back until a body that nobody reads was sent.
    this.dismissed = this.body.dismiss();
    const headers = new Headers();
    for (const [name, value] of list) headers.append(name, value);
    headers.set("x-request-id", this.requestId);
    for (const [name, value] of fieldsOfAll) headers.set(name, value);
    if (this.request.url.startsWith("https:")) headers.set(...encryptedOnly);
    this.resolve(new Response(body, { status, headers }));
    this.answered = true;
    this.answeredWhole = this.responseBody === undefined;
  }
}
