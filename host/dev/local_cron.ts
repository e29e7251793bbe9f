// Keeps the time for the local server: `wrangler dev` has a door for cron triggers, but no clock.
//
// The door is a hook of `wrangler dev` alone. A deployment has none: the path reaches the Worker
// like any other there, and is 404.

const minuteMs = 60_000;

const hookPath = "/cdn-cgi/local/scheduled";
const everyMinuteCron = "%2A+%2A+%2A+%2A+%2A";

/** Calls the hook of a server at each full minute, until the function that it returns is called. */
export function startLocalCron(origin: string): () => void {
  const stopped = new AbortController();
  let failing = false;
  const stopTicks = everyMinute(async (minute) => {
    try {
      const url = `${origin}${hookPath}?cron=${everyMinuteCron}&time=${minute}`;
      const answer = await fetch(url, { signal: stopped.signal });
      const outcome = await answer.text();
      if (!answer.ok) throw new Error(outcome);
      failing = false;
    } catch (error) {
      // Once, until it works again: a server that is down says so in its own words.
      if (!failing && !stopped.signal.aborted)
        console.error(`warning: the scheduled wake failed: ${reasonOf(error)}`);
      failing = true;
    }
  });
  return () => {
    stopped.abort();
    stopTicks();
  };
}

/**
 * Runs `task` at each full minute, with that minute in milliseconds since 1970. It never overlaps
 * itself: a run that takes longer skips the minutes that pass meanwhile. The timer keeps no process
 * alive.
 */
export function everyMinute(task: (minute: number) => Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const plan = (after: number): void => {
    if (stopped) return;
    const minute = (Math.floor(after / minuteMs) + 1) * minuteMs;
    timer = setTimeout(async () => {
      await task(minute);
      // A timer may fire a moment early: the same minute does not come twice.
      plan(Math.max(minute, Date.now()));
    }, minute - Date.now());
    timer.unref();
  };
  plan(Date.now());
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** `fetch` hides why it failed one level down. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
