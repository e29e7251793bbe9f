// Everything that the core can ask of a host, a row each: its name, and how its members are read
// (wasm/README.md). The type `Effect` follows from the rows. A new effect is a row here, one in
// core/effect_members.h, and the function that performs it (drive.ts).

import type { StepHead } from "./step_head.ts";

export const effectRows = {
  /** Reads; no atomicity is promised. */
  query: (head: StepHead) => ({ statements: head.statements("statements") }),
  /**
   * One transaction: all statements or none. Runs to its end even if the client leaves. Where the
   * turn has a name, the invocation has it from here to its end. What is unseen may be sent again.
   */
  batch: (head: StepHead) => ({
    statements: head.statements("statements"),
    turn: { name: head.text("turn"), atOnce: head.integer("at_once") },
    unseen: head.boolean("unseen"),
  }),
  /** The next part of the request's body, or its end. */
  read_body: () => ({}),
  /** Status and headers, and the body unless it follows by `write`. Once an invocation. */
  respond: (head: StepHead) => ({
    status: head.integer("status"),
    headers: head.headers("headers"),
    body: head.body(),
  }),
  /** A part of a streamed body. */
  write: (head: StepHead) => ({ bytes: head.bytes("section") }),
  /** Closes the streamed body. */
  end: () => ({}),
  /** Cuts the streamed body off, so that the reader sees a failure. */
  abort: () => ({}),
  /** Encrypts with the deployment's key; `context` must be the same to open it again. */
  seal: (head: StepHead) => ({ plain: head.bytes("section"), context: head.text("context") }),
  /** Holds that much of the isolate's memory for this invocation. */
  reserve_memory: (head: StepHead) => ({ bytes: head.integer("bytes"), turn: head.text("turn") }),
  /** Counts a request of somebody; there may have been too many. */
  count: (head: StepHead) => ({ of: head.text("of") }),
  /** One line for the host's log. */
  log: (head: StepHead) => ({ level: head.level("level"), message: head.text("message") }),
} satisfies Readonly<Record<string, (head: StepHead) => object>>;

type Rows = typeof effectRows;

export type Effect = {
  [Name in keyof Rows]: { readonly effect: Name } & Readonly<ReturnType<Rows[Name]>>;
}[keyof Rows];

export function readEffect(head: StepHead): Effect {
  const name = head.text("effect");
  if (!Object.hasOwn(effectRows, name))
    throw new Error(`the core asks for an unknown effect: ${name}`);
  const row = effectRows[name as keyof Rows];
  return { effect: name, ...row(head) } as Effect;
}
