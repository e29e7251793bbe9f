// The inspector's protocol, as far as the benchmark needs it: calls and their answers.

export interface Inspector {
  /** The value of an expression in the isolate's global scope, which must be one of JSON. */
  evaluate<T>(expression: string): Promise<T>;
  call<T>(method: string, params?: Record<string, unknown>): Promise<T>;
  close(): void;
}

/** Speaks to an isolate: that of the Worker `name` is `core:user:<name>`. */
export async function connect(address: URL, isolate: string): Promise<Inspector> {
  const socket = new WebSocket(new URL(`/${isolate}`, address).href);
  await new Promise((done, failed) => {
    socket.addEventListener("open", done);
    socket.addEventListener("error", () => failed(new Error("the inspector does not answer")));
  });
  const waiting = new Map<number, (answer: Answer) => void>();
  let contextId: number | undefined;
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Answer | ContextCreated;
    if ("id" in message) {
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    } else if (message.method === "Runtime.executionContextCreated") {
      contextId = message.params.context.id;
    }
  });
  let last = 0;
  const call = <T>(method: string, params: Record<string, unknown> = {}) =>
    new Promise<T>((done, failed) => {
      const id = ++last;
      waiting.set(id, ({ result, error }) => {
        if (error === undefined) done(result as T);
        else failed(new Error(`${method}: ${error.message}`));
      });
      socket.send(JSON.stringify({ id, method, params }));
    });
  await call("Runtime.enable");
  return {
    call,
    evaluate: async <T>(expression: string) => {
      const params = { expression, contextId, returnByValue: true };
      return (await call<{ result: { value: T } }>("Runtime.evaluate", params)).result.value;
    },
    close: () => socket.close(),
  };
}

interface ContextCreated {
  readonly method: string;
  readonly params: { readonly context: { readonly id: number } };
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}
