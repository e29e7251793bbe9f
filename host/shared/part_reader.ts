// Reads a stream of bytes in parts of a size that the caller chooses.

export type PartReader = {
  /**
   * Up to `most` bytes, at least `least` unless the stream ends, `undefined` at the end. They are valid until the
   * next call.
   */
  readonly next: (most: number, least: number) => Promise<Uint8Array | undefined>;
  readonly cancel: () => void;
};

export function partReader(stream: ReadableStream<Uint8Array>): PartReader {
  try {
    return byteReader(stream);
  } catch {
    // Only byte streams can read into a buffer; workerd's request bodies are, some of Node's are not.
    return chunkReader(stream);
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
function byteReader(stream: ReadableStream<Uint8Array>): PartReader {
  const reader: ByteReader = stream.getReader({ mode: "byob" });
  const read = (view: Uint8Array, min: number): Promise<ReadableStreamReadResult<Uint8Array>> =>
    reader.readAtLeast === undefined ? reader.read(view, { min }) : reader.readAtLeast(min, view);
  let buffer = new ArrayBuffer(0);
  return {
    next: async (most, least) => {
      if (buffer.byteLength < most) buffer = new ArrayBuffer(most);
      const { value } = await read(new Uint8Array(buffer, 0, most), Math.min(least, most));
      if (value === undefined) return undefined;
      buffer = value.buffer as ArrayBuffer;
      return value.length === 0 ? undefined : value;
    },
    cancel: () => void reader.cancel().catch(ignore),
  };
}

/** Gives each chunk as it comes, and splits those that are too large. */
function chunkReader(stream: ReadableStream<Uint8Array>): PartReader {
  const reader = stream.getReader();
  let rest = new Uint8Array(0);
  return {
    next: async (most) => {
      while (rest.length === 0) {
        const { value, done } = await reader.read();
        if (done) return undefined;
        rest = value as Uint8Array<ArrayBuffer>;
      }
      const part = rest.subarray(0, most);
      rest = rest.subarray(part.length);
      return part;
    },
    cancel: () => void reader.cancel().catch(ignore),
  };
}

function ignore(): void {}
