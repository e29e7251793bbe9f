// One object in the head of a frame from the core, read member by member. One that does not fit is
// a bug of the core and throws.

import type { Statement, Value } from "../store/store.ts";
import type { FrameReader } from "./frame.ts";

export type HeaderList = readonly (readonly [string, string])[];

/** What follows status and headers of an answer. */
export type Body =
  | { readonly kind: "none" }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "asset"; readonly path: string }
  | { readonly kind: "stream" };

export type LogLevel = "debug" | "info" | "warn" | "error";

export class StepHead {
  private readonly frame: FrameReader;
  private readonly members: Readonly<Record<string, unknown>>;

  constructor(frame: FrameReader, value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new Error("a part of the core's step is no object");
    this.frame = frame;
    this.members = value as Record<string, unknown>;
  }

  object(name: string): StepHead {
    return new StepHead(this.frame, this.members[name]);
  }

  objects(name: string): StepHead[] {
    return this.list(name).map((value) => new StepHead(this.frame, value));
  }

  integer(name: string): number {
    return integerOf(this.members[name], name);
  }

  text(name: string): string {
    return textOf(this.members[name], name);
  }

  boolean(name: string): boolean {
    const value = this.members[name];
    if (typeof value !== "boolean") throw new Error(`the core's ${name} is neither true nor false`);
    return value;
  }

  /** A section's bytes, as a copy that outlives the frame. */
  bytes(name: string): Uint8Array<ArrayBuffer> {
    return this.frame.copy(this.integer(name));
  }

  headers(name: string): HeaderList {
    return this.list(name).map((pair) => {
      if (!Array.isArray(pair)) throw new Error("the core's header is no list");
      return [textOf(pair[0], "header"), textOf(pair[1], "header")] as const;
    });
  }

  /** That of an answer, by which of three members there is. */
  body(): Body {
    if (this.members["section"] !== undefined)
      return { kind: "bytes", bytes: this.bytes("section") };
    if (this.members["asset"] !== undefined) return { kind: "asset", path: this.text("asset") };
    return this.members["stream"] === true ? { kind: "stream" } : { kind: "none" };
  }

  level(name: string): LogLevel {
    const value = this.members[name];
    if (value === "debug" || value === "info" || value === "warn" || value === "error")
      return value;
    throw new Error("the core logs at an unknown level");
  }

  statements(name: string): readonly Statement[] {
    return this.objects(name).map((statement) => ({
      number: statement.integer("statement"),
      params: statement.list("params").map((param) => this.param(param)),
    }));
  }

  private param(param: unknown): Value {
    if (param === null || typeof param === "string") return param;
    if (typeof param === "number") return integerOf(param, "parameter");
    return this.frame.text(new StepHead(this.frame, param).integer("section"));
  }

  private list(name: string): readonly unknown[] {
    const value = this.members[name];
    if (!Array.isArray(value)) throw new Error(`the core's ${name} is no list`);
    return value;
  }
}

function integerOf(value: unknown, what: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new Error(`the core's ${what} is no integer`);
}

function textOf(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new Error(`the core's ${what} is no text`);
}
