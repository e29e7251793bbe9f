// One instance of the core: its memory and the calls into it. Whatever a call throws (a trap, an
// exhausted stack, a step that does not fit the ABI) leaves the instance unusable, and
// `CoreFailure` says so.

import {
  abiVersion,
  type Reply,
  readStep,
  readStoredResponses,
  type Start,
  type Step,
  type StoredResponses,
  writeResume,
  writeStart,
  writeStoredResponsesRequest,
} from "./abi.ts";
import { FrameTooLarge, FrameWriter } from "./frame.ts";

/** The instance must be thrown away. */
export class CoreFailure extends Error {}

const decoder = new TextDecoder();

// Frames of all instances are put together here, one at a time (frame.ts).
const writer = new FrameWriter();

type Exports = {
  readonly memory: WebAssembly.Memory;
  readonly sm_abi: () => number;
  readonly sm_statements: () => number;
  readonly sm_alloc: (length: number) => number;
  readonly sm_start: (pointer: number, length: number) => number;
  readonly sm_resume: (pointer: number, length: number) => number;
  readonly sm_close: () => void;
  readonly _initialize: () => void;
};

export class Instance {
  private readonly exports: Exports;

  constructor(module: WebAssembly.Module) {
    const memory: { current?: WebAssembly.Memory } = {};
    const instance = new WebAssembly.Instance(module, importsOf(module, memory));
    this.exports = readExports(instance.exports);
    memory.current = this.exports.memory;
    this.call(() => this.exports._initialize());
    const version = this.call(() => this.exports.sm_abi());
    if (version !== abiVersion)
      throw new CoreFailure(`the core speaks ABI ${version}, this host ${abiVersion}`);
  }

  /** Throws where the core means other statements by its numbers than the table that the store has. */
  expectStatements(fingerprint: string): void {
    const own = this.call(() => decoder.decode(this.slice(this.exports.sm_statements())));
    if (own !== fingerprint) {
      throw new CoreFailure(
        `the core numbers the statements of ${own}, the texts are those of ${fingerprint}: ` +
          "both must come from one build",
      );
    }
  }

  get memoryBytes(): number {
    return this.exports.memory.buffer.byteLength;
  }

  start(start: Start): Step {
    return this.call(() => readStep(this.send(this.exports.sm_start, writeStart(writer, start))));
  }

  /** Throws `FrameTooLarge`, with the instance as it was, when the replies do not fit into a frame. */
  resume(time: number, replies: readonly Reply[]): Step {
    const frame = writeResume(writer, time, replies);
    return this.call(() => readStep(this.send(this.exports.sm_resume, frame)));
  }

  storedResponses(): StoredResponses {
    return this.call(() => {
      const responses = readStoredResponses(
        this.send(this.exports.sm_start, writeStoredResponsesRequest(writer)),
      );
      this.exports.sm_close();
      return responses;
    });
  }

  close(): void {
    this.call(() => this.exports.sm_close());
  }

  /** Hands a frame over and answers with a view of the next one, which the next call kills. */
  private send(entry: (pointer: number, length: number) => number, frame: Uint8Array): Uint8Array {
    const pointer = this.exports.sm_alloc(frame.length) >>> 0;
    new Uint8Array(this.exports.memory.buffer, pointer, frame.length).set(frame);
    return this.slice(entry(pointer, frame.length));
  }

  /** What the core gives back: the address of a pointer and a length. */
  private slice(address: number): Uint8Array {
    const memory = this.exports.memory.buffer;
    const view = new DataView(memory, address >>> 0, 8);
    return new Uint8Array(memory, view.getUint32(0, true), view.getUint32(4, true));
  }

  private call<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (error instanceof FrameTooLarge || error instanceof CoreFailure) throw error;
      throw new CoreFailure(error instanceof Error ? error.message : String(error), {
        cause: error,
      });
    }
  }
}

// The core does no I/O, but the C library links in what it would need for it. Each stub says "bad
// descriptor" or "not supported" rather than nothing at all, so that a caller does not wait for a
// progress that never comes.
const wasiBadDescriptor = 8;
const wasiNotSupported = 58;

function importsOf(
  module: WebAssembly.Module,
  memory: { readonly current?: WebAssembly.Memory },
): Record<string, Record<string, () => number>> {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function")
      throw new CoreFailure(`the core imports ${from}.${name}, which is no function`);
    imports[from] ??= {};
    imports[from][name] = stub(name, memory);
  }
  return imports;
}

function stub(
  name: string,
  memory: { readonly current?: WebAssembly.Memory },
): (...args: number[]) => number {
  if (name === "proc_exit") {
    return () => {
      throw new Error("the core called proc_exit");
    };
  }
  // The two counts that these return must be written: the C library reads them.
  if (name === "environ_sizes_get" || name === "args_sizes_get") {
    return (count = 0, size = 0) => {
      if (memory.current === undefined) return wasiNotSupported;
      const view = new DataView(memory.current.buffer);
      view.setUint32(count, 0, true);
      view.setUint32(size, 0, true);
      return 0;
    };
  }
  if (name.startsWith("fd_")) return () => wasiBadDescriptor;
  if (name === "environ_get" || name === "args_get" || name === "emscripten_notify_memory_growth")
    return () => 0;
  return () => wasiNotSupported;
}

const exported: readonly (keyof Exports)[] = [
  "sm_abi",
  "sm_statements",
  "sm_alloc",
  "sm_start",
  "sm_resume",
  "sm_close",
  "_initialize",
];

function readExports(exports: WebAssembly.Exports): Exports {
  const { memory } = exports;
  if (!(memory instanceof WebAssembly.Memory)) throw new CoreFailure("the core exports no memory");
  for (const name of exported) {
    if (typeof exports[name] !== "function")
      throw new CoreFailure(`the core lacks the export ${name}`);
  }
  return exports as unknown as Exports;
}
