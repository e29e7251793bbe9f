// The Worker: what Cloudflare calls. It brings the bindings together and leaves the rest to the loop.

import { module, statements } from "core";
import { BodyRoom } from "../shared/body_room.ts";
import { Instance } from "../shared/core/instance.ts";
import { Pool } from "../shared/core/pool.ts";
import { apartPoolOptions } from "../shared/core/pool_options.ts";
import { drive, type Host, wake } from "../shared/drive.ts";
import { readEnvironment } from "../shared/environment.ts";
import { Sealer } from "../shared/seal.ts";
import { Turns } from "../shared/turns.ts";
import { readAsset } from "./assets.ts";
import { D1Store } from "./d1.ts";

type Env = {
  readonly DB: D1Database;
  readonly ASSETS?: Fetcher;
  readonly REQUEST_RATE?: RateLimit;
  readonly [name: string]: unknown;
};

// A deployment whose core cannot even say its stored answers, or whose statements are not those of
// the core, must not load at all, so this may throw.
const first = new Instance(module);
first.expectStatements(statements.fingerprint);
const responses = first.storedResponses();
const pool = new Pool(module, first);
const room = new BodyRoom();
const turns = new Turns();
// Who asks whether the service is well is answered however busy it is.
const apart = {
  paths: new Set(["/health", "/api/v1/health"]),
  pool: new Pool(module, new Instance(module), apartPoolOptions),
};

// The bindings are the same for every invocation of an isolate.
const hosts = new WeakMap<Env, Host>();

export default {
  fetch(request, env, ctx): Promise<Response> {
    const { response, finished } = drive(hostOf(env), request);
    ctx.waitUntil(finished);
    return response;
  },
  scheduled(controller, env): Promise<void> {
    return wake(hostOf(env), controller.scheduledTime);
  },
} satisfies ExportedHandler<Env>;

function hostOf(env: Env): Host {
  let host = hosts.get(env);
  if (host === undefined) {
    host = makeHost(env);
    hosts.set(env, host);
  }
  return host;
}

function makeHost(env: Env): Host {
  const { varsJson, secretsJson, encryptionKey } = readEnvironment(env);
  let sealer: Sealer | undefined;
  return {
    pool,
    apart,
    room,
    turns,
    count: countWith(env.REQUEST_RATE),
    // The platform sets it, whatever the client sent.
    addressOf: (request) => request.headers.get("cf-connecting-ip"),
    responses,
    store: new D1Store(env.DB, statements),
    // Not a shared promise: one request may not wait for what another has begun.
    sealer: async () => (sealer ??= await Sealer.create(encryptionKey)),
    varsJson,
    secretsJson,
    asset: (path, ifNoneMatch) => readAsset(env.ASSETS, path, ifNoneMatch),
  };
}

/** A counter that fails keeps nobody out. */
function countWith(rate: RateLimit | undefined): Host["count"] {
  if (rate === undefined) return undefined;
  return async (of) => {
    try {
      return (await rate.limit({ key: of })).success;
    } catch (error) {
      console.error(`the requests could not be counted: ${String(error)}`);
      return true;
    }
  };
}
