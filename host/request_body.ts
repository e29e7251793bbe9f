// The request's body in parts of up to 256 KiB, however its stream chunks it: every part costs the
// core a round trip.

import type { Reply } from "./core/abi.ts";

const partBytes = 256 * 1024;
// A read waits for this much of a body whose length was announced, so that tiny chunks do not
// become tiny parts. Of others it takes what is there: the sender may wait for the answer before it
// sends more.
const leastBytes = 64 * 1024;

// A client that sends nothing for so long is gone, or means harm: it holds an instance of the core.
const stalledMs = 120_000;

// How long, and how much, a body that nobody wants is still read.
const lingerMs = 100;
const lingerBytes = 2 * 1024 * 1024;

type PartReader = {
  /** The next part, `undefined` at the end. The bytes are valid until the next call. */
  readonly next: () => Promise<Uint8Array | undefined>;
  readonly cancel: () => void;
};

export class RequestBody {
  private readonly stream: ReadableStream<Uint8Array> | null;
  private readonly announcedBytes: number | undefined;
  private receivedBytes = 0;
  private reader: PartReader | undefined;
  private state: "open" | "ended" | "failed" = "open";

  constructor(stream: ReadableStream<Uint8Array> | null, contentLength: string | null) {
    this.stream = stream;
    this.announcedBytes =
      contentLength !== null && /^\d+$/.test(contentLength) ? Number(contentLength) : undefined;
  }

  /** The bytes of the reply are valid until the next call. */
  async read(): Promise<Reply> {
    if (this.state === "failed") return { ok: false, error: "cut_off" };
    if (this.stream === null || this.state === "ended") return { ok: true, end: true };
    try {
      this.reader ??= partReader(this.stream, this.announcedBytes === undefined ? 1 : leastBytes);
      const part = await unlessStalled(this.reader.next());
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
    return short ? { ok: false, error: "cut_off" } : { ok: true, end: true };
  }

  /**
   * Says that the rest is not wanted. What a client sends at once is taken all the same, up to a limit, since refusing
   * it can cost the client the connection and with it the answer; one that stalls, or sends without end, is cut off.
   */
  async dismiss(): Promise<void> {
    if (this.stream === null || this.state !== "open") return;
    const deadline = Date.now() + lingerMs;
    for (let taken = 0; taken < lingerBytes && Date.now() < deadline; ) {
      const reply = await Promise.race([this.read(), sleep(lingerMs)]);
      if (reply === undefined) break;
      if (!("bytes" in reply)) return;
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

async function unlessStalled<T>(next: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the client stalled")), stalledMs);
  });
  try {
    return await Promise.race([next, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

function sleep(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}

function ignore(): void {}
