// The Worker behind the limits of production: what tests of the whole product run
// (tests/contract/server.ts). Each invocation has a database of its own, which counts its queries.

import worker from "../../host/worker/worker.ts";
import { limitedDatabase } from "./production_limits.ts";

type Env = Parameters<typeof worker.fetch>[1];

function limited(env: Env): Env {
  return { ...env, DB: limitedDatabase(env.DB, (message) => console.error(message)) };
}

export default {
  fetch: (request, env, ctx) => worker.fetch(request, limited(env), ctx),
  scheduled: (controller, env) => worker.scheduled(controller, limited(env)),
} satisfies ExportedHandler<Env>;
