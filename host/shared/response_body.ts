// A streamed answer. The core writes a part and is told to go on when the one before it was taken,
// so that one part is on its way while the core makes the next, and memory stays flat however slow
// the reader is.

import { type Held, patiently } from "./patience.ts";

export class ResponseBody {
  readonly stream: ReadableStream<Uint8Array>;
  private readonly held: Held;
  private readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  /** Settles when the last part was taken, to whether it was. */
  private taken: Promise<boolean> = Promise.resolve(true);
  private state: "open" | "left" | "closed" = "open";

  /** `held` is what a reader that takes nothing keeps from others. */
  constructor(held: Held) {
    this.held = held;
    const { readable, writable } = newPipe();
    this.stream = readable;
    this.writer = writable.getWriter();
    // Whoever writes next learns of the failure; nobody else needs to.
    this.writer.closed.catch(ignore);
  }

  /** Sends a part, once the one before it was taken; `false` when the client has left. */
  async write(part: Uint8Array): Promise<boolean> {
    if (!(await this.drained()) || this.state !== "open") return false;
    this.taken = this.writer.write(part).then(yes, no);
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

/** workerd's own pipe passes bytes on without a queue of JavaScript; elsewhere the standard one does. */
function newPipe(): { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> } {
  return typeof IdentityTransformStream === "undefined"
    ? new TransformStream()
    : new IdentityTransformStream();
}

const yes = (): boolean => true;
const no = (): boolean => false;

function ignore(): void {}
