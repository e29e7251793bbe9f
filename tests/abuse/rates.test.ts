// Too much in too short a time: it is told so, and costs nobody else anything.
//
// Requests are counted in windows of ten seconds by the clock, so a test that sends many at once may see two of
// them, or three on a machine that is busy: it sends more than all of those let through.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { crc32 } from "node:zlib";
import { type Answer, type Call, Client } from "../contract/client.ts";
import { assertProblem, type TargetProperty } from "../contract/rows.ts";
import { devVariable, type Server, startServer } from "../contract/server.ts";
import {
  createSource,
  editRow,
  newClient,
  range,
  syncedPair,
  targetPath,
  targetRow,
} from "../contract/world.ts";
import { allRoutes, type Route } from "./routes.ts";

const kPerSecond = 1;
const kWindowS = 10;
const kInWindow = kPerSecond * kWindowS;
const kTooMany = 4 * kInWindow;
const kSignups = 3;
/** An attack that is let through keeps others waiting for a minute. */
const kMostWaitMs = 15_000;

const limited = await startServer({
  env: { MAX_REQUESTS_PER_SECOND: String(kPerSecond), MAX_SIGNUPS_PER_HOUR: String(kSignups) },
});
const writing = await startServer({ env: { MAX_WRITES_AT_ONCE: "2" } });
after(() => Promise.all([limited.stop(), writing.stop()]));

let addresses = 0;
/** One that nobody else has. The platform says it in this header; locally a client may. */
function newAddress(): Record<string, string> {
  addresses += 1;
  return { "cf-connecting-ip": `198.51.100.${addresses}` };
}

function signUp(server: Server, headers: Record<string, string>): Promise<Answer> {
  return new Client(server.origin).post("/tenants", { name: "One of many" }, { headers });
}

async function limitedClient(): Promise<Client> {
  const made = (await signUp(limited, newAddress())).expect(201);
  return new Client(limited.origin, made.json<{ api_key: string }>().api_key);
}

function sendMany(
  client: Client,
  { method, path }: Pick<Route, "method" | "path">,
  call: Call,
  count = kTooMany,
): Promise<Answer[]> {
  const to = path.replace(/\{\w+\}/g, "1");
  return Promise.all(range(count).map(() => client.request(method, to, call)));
}

/** Of many answers of one client: how many were let through, and that the others say when to come again. */
function letThrough(answers: readonly Answer[]): number {
  const refused = answers.filter(({ status }) => status === 429);
  for (const answer of refused) {
    const { type } = assertProblem(answer, 429);
    assert.match(type, /:rate-limited$/);
    assert.equal(answer.header("retry-after"), String(kWindowS));
    assert.equal(answer.header("ratelimit-policy"), `"requests";q=${kInWindow};w=${kWindowS}`);
    assert.equal(answer.header("ratelimit"), `"requests";r=0;t=${kWindowS}`);
    assert.match(answer.header("vary") ?? "", /x-api-key/);
  }
  return answers.length - refused.length;
}

function assertLimited(answers: readonly Answer[], what: string): void {
  const through = letThrough(answers);
  assert.ok(through < answers.length, `${what}: all ${through} were answered`);
  assert.ok(through > 0, what);
}

test("abuse: each route that asks who calls has a rate, by the key or by the address", async () => {
  const routes = allRoutes();
  assert.ok(routes.length > 30);
  for (const route of routes) {
    const what = `${route.method} ${route.path}`;
    const headers = newAddress();
    if (route.access === "open") {
      assert.equal(
        letThrough(await sendMany(new Client(limited.origin), route, {})),
        kTooMany,
        what,
      );
      assert.ok(!route.statuses.includes("429"), what);
      continue;
    }
    assert.ok(route.statuses.includes("429"), what);
    // A body that fits nowhere: what is counted is the request.
    const call = { headers, ...(route.method === "GET" ? {} : { raw: "[]" }) };
    const byKey = route.access === "key";
    const client = byKey ? await limitedClient() : new Client(limited.origin);
    assertLimited(await sendMany(client, route, call), what);
    // Another one is none the worse for it.
    const other = byKey ? await limitedClient() : client;
    const others = byKey ? headers : newAddress();
    letThrough([await other.request(route.method, route.path, { ...call, headers: others })]);
    const again = await sendMany(other, route, { ...call, headers: others }, 2);
    assert.ok(letThrough(again) > 0, what);
  }
});

test("abuse: keys that do not exist have no part in the rate of those that do", async () => {
  const client = await limitedClient();
  const tenant = /^sm_(\d+)_/.exec(client.key ?? "")?.[1];
  const forged = client.withKey(`sm_${tenant}_${"x".repeat(48)}`);
  const answers = await sendMany(forged, { method: "GET", path: "/sources" }, {});
  for (const answer of answers) assert.ok(answer.status === 401 || answer.status === 429);
  (await client.get("/sources")).expect(200);
});

test("abuse: an address signs up so many times an hour, and other ones are none the worse", async () => {
  const headers = newAddress();
  const answers: Answer[] = [];
  for (const _ of range(3 * kSignups)) answers.push(await signUp(limited, headers));
  const made = answers.filter(({ status }) => status === 201).length;
  // The hour may change meanwhile.
  assert.ok(made >= kSignups && made <= 2 * kSignups, `${made} were made`);
  const refused = answers.at(-1) as Answer;
  assert.match(assertProblem(refused, 429).type, /:rate-limited$/);
  const wait = Number(refused.header("retry-after"));
  assert.ok(wait > 0 && wait <= 3600);
  assert.equal(refused.header("ratelimit-policy"), `"signups";q=${kSignups};w=3600`);
  assert.equal(refused.header("ratelimit"), `"signups";r=0;t=${wait}`);
  (await signUp(limited, newAddress())).expect(201);
});

test("abuse: many sign-ups at once do not pass the limit together, nor does a network of IPv6", async () => {
  const answers = await Promise.all(
    range(8).map((at) => signUp(limited, { "cf-connecting-ip": `2001:db8:7:7::${at + 1}` })),
  );
  const made = answers.filter(({ status }) => status === 201).length;
  assert.ok(made >= kSignups && made <= 2 * kSignups, `${made} were made`);
  (await signUp(limited, { "cf-connecting-ip": "2001:db8:7:8::1" })).expect(201);
});

test("the administrator makes as many tenants as they like", async () => {
  const token = devVariable(limited.stateDir ?? "", "ADMIN_TOKEN");
  const headers = { ...newAddress(), Authorization: `Bearer ${token}` };
  for (const _ of range(2 * kSignups + 1)) (await signUp(limited, headers)).expect(201);
});

async function editable(client: Client): Promise<TargetProperty> {
  const { target } = await syncedPair(client, [{ id: "P", price: 0 }]);
  return targetRow(client, target, "P");
}

/** How long each of so many edits of one row took that are sent at once, in milliseconds. */
async function editAtOnce(client: Client, row: TargetProperty, count: number): Promise<number[]> {
  return Promise.all(
    range(count).map(async (at) => {
      const before = Date.now();
      const data = { [`edit ${at}`]: true };
      (await client.patch(targetPath(row), { data })).expect(200);
      return Date.now() - before;
    }),
  );
}

test("abuse: forty edits of one row at once all come through, soon", async (t) => {
  const client = await newClient(writing);
  const row = await editable(client);
  const waits = await editAtOnce(client, row, 40);
  t.diagnostic(`the longest took ${Math.max(...waits)} ms`);
  assert.ok(Math.max(...waits) < kMostWaitMs);
  const { data, version } = (await client.get(targetPath(row))).expect(200).json<TargetProperty>();
  assert.equal(version, 41);
  assert.equal(Object.keys(data).length, 42);
});

test("abuse: a tenant's many writes keep neither others waiting nor its own reads", async (t) => {
  const [busy, calm] = [await newClient(writing), await newClient(writing)];
  const [busyRow, calmRow] = [await editable(busy), await editable(calm)];
  const flood = editAtOnce(busy, busyRow, 150);
  const waits: number[] = [];
  for (const at of range(10)) {
    const before = Date.now();
    await editRow(calm, calmRow, { at });
    (await busy.get("/sources")).expect(200);
    waits.push(Date.now() - before);
  }
  t.diagnostic(`the longest took ${Math.max(...waits)} ms`);
  assert.ok(Math.max(...waits) < kMostWaitMs);
  await flood;
});

test("abuse: writes with keys that do not exist take no turns of the tenant that they name", async (t) => {
  const client = await newClient(writing);
  const row = await editable(client);
  const forged = client.withKey(forgedLike(client.key ?? ""));
  const flood = Promise.all(
    range(100).map(() => forged.post("/sources", { name: "x", type: "json", config: {} })),
  );
  const before = Date.now();
  await editRow(client, row, { price: 7 });
  await createSource(client);
  t.diagnostic(`an edit and a source took ${Date.now() - before} ms`);
  assert.ok(Date.now() - before < kMostWaitMs);
  for (const answer of await flood) assert.ok([401, 503].includes(answer.status));
});

/** A key that looks as good as the one given, and is none. */
function forgedLike(key: string): string {
  const body = key.slice(3, -8);
  const other = body.endsWith("a") ? `${body.slice(0, -1)}b` : `${body.slice(0, -1)}a`;
  return `sm_${other}${crc32(other).toString(16).padStart(8, "0")}`;
}
