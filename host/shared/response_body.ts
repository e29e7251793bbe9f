// A streamed answer. The core writes a part and is told to go on when the one before it was taken,
// so that one part is on its way while the core makes the next, and memory stays flat however slow
// the reader is.

import { type Held, patiently } from "./patience.ts";

export class ResponseBody {
  readonly stream: ReadableStream<Uint8Array>;
  private readonly held: Held;
  /** Whether a part that was taken has been copied, so that nobody needs its memory. */
  private readonly copies: boolean;
  private readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  /** Settles when the last part was taken, to whether it was. */
  private taken: Promise<boolean> = Promise.resolve(true);
  private state: "open" | "left" | "closed" = "open";

  /** `held` is what a reader that takes nothing keeps from others. */
  constructor(held: Held) {
    this.held = held;
    const { pipe, copies } = newPipe();
    this.stream = pipe.readable;
    this.copies = copies;
    this.writer = pipe.writable.getWriter();
    // Whoever writes next learns of the failure; nobody else needs to.
    this.writer.closed.catch(ignore);
  }

  /** Sends a part, once the one before it was taken; `false` when the client has left. */
  async write(part: Uint8Array<ArrayBuffer>): Promise<boolean> {
    if (!(await this.drained()) || this.state !== "open") return false;
    this.taken = this.writer.write(part).then(yes, no);
    // A collection would come only when many parts have gathered.
    if (this.copies) this.taken.then(() => part.buffer.transfer(0));
    return true;
  }

  async end(): Promise<void> {
    if (this.state !== "open") return;
    if (!(await this.drained())) return;
    this.state = "closed";
    await this.writer.close().catch(ignore);
  }

  /** Cuts the answer off after what was written: the reader sees a failure, never a whole body. */
  async abort(why: string): Promise<void> {
    if (this.state !== "open") return;
    await this.drained();
    this.state = "closed";
    await this.writer.abort(new Error(why)).catch(ignore);
  }

  private async drained(): Promise<boolean> {
    try {
      if (await patiently(this.held, this.taken)) return true;
    } catch (stalled) {
      this.writer.abort(stalled).catch(ignore);
    }
    this.state = "left";
    return false;
  }
}

type Pipe = {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
};

/**
 * workerd's own pipe copies bytes to where they go without a queue of JavaScript; elsewhere the
 * standard one hands on the very part.
 */
function newPipe(): { readonly pipe: Pipe; readonly copies: boolean } {
  return typeof IdentityTransformStream === "undefined"
    ? { pipe: new TransformStream(), copies: false }
    : { pipe: new IdentityTransformStream(), copies: true };
}

const yes = (): boolean => true;
const no = (): boolean => false;

function ignore(): void {}
