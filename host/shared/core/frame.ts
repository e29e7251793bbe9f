// Frames are how host and core speak: a JSON head and binary sections (wasm/README.md, conventions
// 1 and 2).
//
// Frames to the core are put together in one scratch buffer for the isolate and copied into wasm
// memory at once. That is safe because putting together and handing over happen without an await
// between them. Frames from the core are read where they lie, in wasm memory, and are dead after
// the next call into the instance.

export const maxFrameBytes = 16 * 1024 * 1024;

// What a large import leaves behind of the scratch buffer is given back above this size.
const keptScratchBytes = 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The frame, or a value in it, does not fit: the reply has to be another one. */
export class FrameTooLarge extends Error {}

/** Reads one frame from the core. */
export class FrameReader {
  readonly head: unknown;
  private readonly bytes: Uint8Array;
  private readonly sections: { readonly start: number; readonly end: number }[] = [];

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.bytes = bytes;
    let at = 0;
    const next = (): { start: number; end: number } => {
      if (at + 4 > bytes.length) throw new Error("a frame of the core ends within a length");
      const start = at + 4;
      const end = start + view.getUint32(at, true);
      if (end > bytes.length) throw new Error("a section of the core ends beyond its frame");
      at = end;
      return { start, end };
    };
    const head = next();
    while (at < bytes.length) this.sections.push(next());
    this.head = JSON.parse(decoder.decode(bytes.subarray(head.start, head.end)));
  }

  get sectionCount(): number {
    return this.sections.length;
  }

  text(index: number): string {
    return decoder.decode(this.view(index));
  }

  /** A copy, which outlives the frame. */
  copy(index: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view(index));
  }

  private view(index: number): Uint8Array {
    const section = this.sections[index];
    if (section === undefined)
      throw new Error(`the core names section ${index}, which its frame lacks`);
    return this.bytes.subarray(section.start, section.end);
  }
}

/** Puts together one frame to the core. The result is valid until the next frame is begun. */
export class FrameWriter {
  private bytes = new Uint8Array(64 * 1024);
  private view: DataView = new DataView(this.bytes.buffer);
  private length = 0;

  begin(head: string): void {
    if (this.bytes.length > keptScratchBytes) this.resize(keptScratchBytes);
    this.length = 0;
    this.text(head);
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  section(bytes: Uint8Array): void {
    this.reserve(4 + bytes.length);
    this.view.setUint32(this.length, bytes.length, true);
    this.bytes.set(bytes, this.length + 4);
    this.length += 4 + bytes.length;
  }

  /** A section whose length is known only after `fill` has written its bytes. */
  sectionOf(fill: () => void): void {
    this.reserve(4);
    const start = this.length;
    this.length += 4;
    fill();
    this.view.setUint32(start, this.length - start - 4, true);
  }

  /** A cell of a result: a tag byte and a value. */
  cell(value: unknown): void {
    if (typeof value === "string") {
      this.reserve(1);
      this.bytes[this.length++] = 3;
      this.text(value);
    } else if (typeof value === "number") {
      this.number(value);
    } else if (value === null || value === undefined) {
      this.reserve(1);
      this.bytes[this.length++] = 0;
    } else if (typeof value === "bigint") {
      this.reserve(9);
      this.bytes[this.length++] = 1;
      this.view.setBigInt64(this.length, value, true);
      this.length += 8;
    } else {
      throw new Error(`a cell of the store is ${typeof value}: blobs and booleans have no tag`);
    }
  }

  private number(value: number): void {
    this.reserve(9);
    if (Number.isSafeInteger(value)) {
      this.bytes[this.length] = 1;
      this.view.setInt32(this.length + 1, value | 0, true);
      this.view.setInt32(this.length + 5, Math.floor(value / 4294967296), true);
    } else {
      this.bytes[this.length] = 2;
      this.view.setFloat64(this.length + 1, value, true);
    }
    this.length += 9;
  }

  /** A length and UTF-8. Short ASCII, which most cells are, is faster by hand than through the encoder. */
  private text(text: string): void {
    this.reserve(4 + text.length);
    const start = this.length + 4;
    if (text.length > 24 || !this.ascii(text, start)) {
      this.reserve(4 + text.length * 3);
      const written = encoder.encodeInto(text, this.bytes.subarray(start)).written;
      this.view.setUint32(this.length, written, true);
      this.length = start + written;
    } else {
      this.view.setUint32(this.length, text.length, true);
      this.length = start + text.length;
    }
  }

  private ascii(text: string, start: number): boolean {
    const bytes = this.bytes;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) return false;
      bytes[start + i] = unit;
    }
    return true;
  }

  /** Makes room. A text asks for three bytes a unit, so the buffer may pass the limit that the frame must keep. */
  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    if (this.length > maxFrameBytes)
      throw new FrameTooLarge("a frame to the core would pass 16 MiB");
    this.resize(Math.max(needed, Math.min(this.bytes.length * 2, maxFrameBytes)));
  }

  /** The buffer before this one is gone at once: a collection comes only when there are many. */
  private resize(size: number): void {
    const buffer = this.bytes.buffer.transfer(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
}
