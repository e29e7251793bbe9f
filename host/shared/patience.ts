// Waiting for a client. One that takes or sends nothing holds an instance of the core meanwhile, so
// whoever waits for it asks now and then whether others need the room more.
//
// The one who waits gives up by itself, because in workerd one request must not touch the streams
// of another.

const lookMs = 250;

/** What is held while a client is waited for: a lease of the pool. */
export type Held = {
  /** Whether nothing but the client keeps the invocation from going on. */
  awaitsClient: boolean;
  /** Whether the client was waited for long enough. */
  readonly mustYield: () => boolean;
};

/** Settles like `waited`, or fails when the client has to make room. */
export async function patiently<T>(held: Held, waited: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (held.mustYield()) reject(new Error("the client stalled"));
    }, lookMs);
  });
  held.awaitsClient = true;
  try {
    return await Promise.race([waited, stalled]);
  } finally {
    held.awaitsClient = false;
    clearInterval(timer);
  }
}
