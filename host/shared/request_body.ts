// The request's body in parts of up to 256 KiB, however its stream chunks it: every part costs the
// core a round trip.

import type { Reply } from "./core/abi.ts";
import { type Held, patiently } from "./patience.ts";

const partBytes = 256 * 1024;
// A read waits for this much of a body whose length was announced, so that tiny chunks do not
// become tiny parts. Of others it takes what is there: the sender may wait for the answer before it
// sends more.
const leastBytes = 64 * 1024;

// How long a body that nobody wants is still read: while it comes without a pause, up to somewhat
// more than an import may have.
const lingerPauseMs = 750;
const lingerMs = 10_000;
const lingerBytes = 128_000_000;

type PartReader = {
  /** The next part, `undefined` at the end. The bytes are valid until the next call. */
  readonly next: () => Promise<Uint8Array | undefined>;
  readonly cancel: () => void;
};

export class RequestBody {
  private readonly stream: ReadableStream<Uint8Array> | null;
  readonly announcedBytes: number | undefined;
  private receivedBytes = 0;
  private reader: PartReader | undefined;
  private state: "open" | "ended" | "failed" = "open";

  constructor(stream: ReadableStream<Uint8Array> | null, contentLength: string | null) {
    this.stream = stream;
    this.announcedBytes =
      contentLength !== null && /^\d+$/.test(contentLength) ? Number(contentLength) : undefined;
  }

  /**
   * The bytes of the reply are valid until the next call. `held` is what a client that sends nothing
   * keeps from others.
   */
  async read(held: Held): Promise<Reply> {
    if (this.state === "failed") return { ok: false, error: "cut_off" };
    if (this.stream === null || this.state === "ended") return { ok: true, members: { end: true } };
    try {
      this.reader ??= partReader(this.stream, this.announcedBytes === undefined ? 1 : leastBytes);
      const part = await patiently(held, this.reader.next());
      if (part !== undefined) {
        this.receivedBytes += part.length;
        return { ok: true, bytes: part };
      }
    } catch {
      this.state = "failed";
      this.reader?.cancel();
      return { ok: false, error: "cut_off" };
    }
    const short = this.announcedBytes !== undefined && this.receivedBytes < this.announcedBytes;
    this.state = short ? "failed" : "ended";
    return short ? { ok: false, error: "cut_off" } : { ok: true, members: { end: true } };
  }

  /**
   * Says that the rest is not wanted. What the client goes on to send is taken all the same, since refusing it can
   * cost the client the connection and with it the answer; one that pauses, or sends without end, is cut off.
   */
  async dismiss(): Promise<void> {
    const deadline = Date.now() + lingerMs;
    let pausedAt = 0;
    const held = { awaitsClient: false, mustYield: () => Date.now() - pausedAt >= lingerPauseMs };
    for (let taken = 0; taken < lingerBytes && Date.now() < deadline; ) {
      pausedAt = Date.now();
      const reply = await this.read(held);
      if (!reply.ok || reply.bytes === undefined) return;
      taken += reply.bytes.length;
    }
    this.state = "failed";
    this.reader?.cancel();
  }
}

function partReader(stream: ReadableStream<Uint8Array>, least: number): PartReader {
  try {
    return byteReader(stream, least);
  } catch {
    // Only byte streams can read into a buffer; workerd's request bodies are, some of Node's are not.
    return chunkReader(stream, least);
  }
}

// workerd's `readAtLeast` is `read` with `min` of the Streams Standard, which Node has.
type ByteReader = {
  readonly readAtLeast?: ReadableStreamBYOBReader["readAtLeast"];
  readonly read: (
    view: Uint8Array,
    options?: { min: number },
  ) => Promise<ReadableStreamReadResult<Uint8Array>>;
  readonly cancel: () => Promise<void>;
};

/** Reads into one buffer that is used again and again. */
function byteReader(stream: ReadableStream<Uint8Array>, least: number): PartReader {
  const reader: ByteReader = stream.getReader({ mode: "byob" });
  const read = (view: Uint8Array): Promise<ReadableStreamReadResult<Uint8Array>> =>
    reader.readAtLeast === undefined
      ? reader.read(view, { min: least })
      : reader.readAtLeast(least, view);
  let buffer = new ArrayBuffer(partBytes);
  return {
    next: async () => {
      const { value } = await read(new Uint8Array(buffer));
      if (value === undefined) return undefined;
      buffer = value.buffer as ArrayBuffer;
      return value.length === 0 ? undefined : value;
    },
    cancel: () => void reader.cancel().catch(ignore),
  };
}

/** Joins chunks that are too small and splits those that are too large. */
function chunkReader(stream: ReadableStream<Uint8Array>, least: number): PartReader {
  const reader = stream.getReader();
  const buffer = new Uint8Array(partBytes);
  let rest = new Uint8Array(0);
  return {
    next: async () => {
      let length = 0;
      while (length < least) {
        if (rest.length === 0) {
          const { value, done } = await reader.read();
          if (done) break;
          rest = value as Uint8Array<ArrayBuffer>;
        }
        const taken = rest.subarray(0, partBytes - length);
        buffer.set(taken, length);
        length += taken.length;
        rest = rest.subarray(taken.length);
      }
      return length === 0 ? undefined : buffer.subarray(0, length);
    },
    cancel: () => void reader.cancel().catch(ignore),
  };
}

function ignore(): void {}
