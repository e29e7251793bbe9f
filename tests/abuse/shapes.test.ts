// No request under 2 MB, of whatever shape, takes more than 16 MiB of WebAssembly or a tenth of a second
// of the processor, and none takes memory that it did not reserve, but for a little: shown by a search
// over shapes, on every route of the API document. `ABUSE_SEED` in the environment adds mixtures.
//
// The times are asserted as bounds only that an attack breaks by far, since the machine has other work to
// do: what was found here took two seconds and more.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type Asked, type Measured, MeasuredCore } from "./measured_core.ts";
import { allRoutes, type Route } from "./routes.ts";
import { kShapes, mixture, type Shape } from "./shapes.ts";

const mebibyte = 1024 * 1024;
const kMaxGrownBytes = 16 * mebibyte;
/** A head of 100 KB, and an answer with one property of 512 KiB. */
const kUnreservedBytes = 4 * mebibyte;
const kMaxCpuMs = 100;
const kCpuSlack = 8;
const kMaxBytes = 2_000_000;
const kMixtures = 8;
const kAroundBytes = 1024;

const core = new MeasuredCore();
const routes = allRoutes();
const ids = { source: 0, target: 0, sourceRow: 0, targetRow: 0, tenant: 0 };
let key = "";

interface Made {
  readonly id: number;
  readonly api_key?: string;
}

/** A tenant with a property of nearly 512 KiB on either side. */
before(async () => {
  const post = async <T = Made>(target: string, body: unknown): Promise<T> =>
    JSON.parse((await core.perform(asked("POST", target, JSON.stringify(body)))).text) as T;
  const rowOf = async (list: string): Promise<number> => {
    const { text } = await core.perform(asked("GET", `${list}/properties?limit=1`));
    return (JSON.parse(text) as Made[])[0]?.id ?? 0;
  };
  const tenant = await post("/tenants", { name: "n" });
  [ids.tenant, key] = [tenant.id, tenant.api_key ?? ""];
  ids.source = (await post("/sources", { name: "s", type: "json", config: { token: "t" } })).id;
  ids.target = (await post("/targets", { name: "t", type: "internal" })).id;
  const data = [{ id: "large", text: "x".repeat(520_000) }, { id: "small" }];
  await post(`/sources/${ids.source}/import`, { data });
  await post(`/sync/${ids.source}/${ids.target}`, undefined);
  ids.sourceRow = await rowOf(`/sources/${ids.source}`);
  ids.targetRow = await rowOf(`/targets/${ids.target}`);
});

test("abuse: bodies of all shapes, at every place of every route", async (t) => {
  const worst = new Worst();
  const taking = routes.filter(({ method }) => method !== "GET");
  for (const [name, shape] of allShapes()) {
    // Each is made once for routes that take as much.
    const madeOf = memoized((bytes) => shape(bytes));
    for (const route of taking) {
      for (const place of route.places) {
        if (place.isRough && !kRoughShapes.includes(name)) continue;
        const body = place.around(madeOf(room(route)));
        worst.add(route, `${place.name} ${name}`, await send(route, body, place.mediaType));
      }
    }
  }
  t.diagnostic(worst.told());
});

test("abuse: bodies without a length reserve as much as the longest", async (t) => {
  const worst = new Worst();
  const shapes = ["zeros", "members", "a text", "empty lists"];
  for (const route of routes.filter(({ method, maxBytes }) => method !== "GET" && maxBytes < 2e6)) {
    for (const place of route.places.filter(({ isRough }) => !isRough)) {
      for (const name of shapes) {
        const body = place.around((kShapes[name] as Shape)(room(route)));
        const sent = { ...asked(route.method, pathOf(route), body, place.mediaType) };
        const headers = sent.headers.filter(([header]) => header !== "content-length");
        worst.add(route, `${place.name} ${name}`, await core.measure({ ...sent, headers }));
      }
    }
  }
  t.diagnostic(worst.told());
});

test("abuse: heads of all shapes, on every route", async (t) => {
  const worst = new Worst();
  for (const route of routes) {
    for (const [name, query, headers] of kHeads) {
      const target = `${pathOf(route)}${query(route.parameters)}`;
      const { method } = route;
      const plain = asked(method, target);
      worst.add(
        route,
        name,
        await core.measure({ ...plain, headers: [...plain.headers, ...headers] }),
      );
    }
  }
  t.diagnostic(worst.told());
});

type Head = readonly [
  name: string,
  query: (parameters: readonly string[]) => string,
  headers: readonly (readonly [string, string])[],
];

const kQueryBytes = 16 * 1024;
const kHeadBytes = 100_000;
const none = (): string => "";
const every = (parameters: readonly string[], value: string): string =>
  `?${parameters.map((name) => `${name}=${value}`).join("&")}`;

const kHeads: readonly Head[] = [
  ["nothing", none, []],
  ["the largest page", (names) => (names.includes("limit") ? "?limit=1000" : ""), []],
  ["unknown parameters", () => `?${"a&".repeat(kQueryBytes / 2 - 1)}`, []],
  ["parameters of other names", () => `?${list(kQueryBytes / 8, (at) => `p${at}`).join("&")}`, []],
  ["a parameter again and again", () => `?${"limit=1&".repeat(kQueryBytes / 9)}`, []],
  ["long values", (names) => every(names, "x".repeat(kQueryBytes / (names.length + 1))), []],
  ["escaped values", (names) => every(names, "%F0%9F%98%80".repeat(1000 / (names.length + 1))), []],
  ["more than a query may have", () => `?${"a".repeat(kHeadBytes)}`, []],
  ["a long path", () => "/1".repeat(kHeadBytes / 2), []],
  ["a long number in the path", () => "9".repeat(kHeadBytes), []],
  ["many headers", none, list(10_000, (at) => [`x-${at}`, ""])],
  ["a long header", none, [["x-long", "x".repeat(kHeadBytes)]]],
  ["many tags", none, [["if-none-match", '"x",'.repeat(kHeadBytes / 4)]]],
  ["tags that do not end", none, [["if-none-match", '"'.repeat(kHeadBytes)]]],
  ["many tags to match", none, [["if-match", '"x",'.repeat(kHeadBytes / 4)]]],
  ["a long key", none, [["x-api-key", "k".repeat(kHeadBytes)]]],
  ["a long authorization", none, [["authorization", `Bearer ${"a".repeat(kHeadBytes)}`]]],
];

function list<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: Math.floor(count) }, (_, at) => make(at));
}

/** Where a value of most shapes is nothing but wrong. */
const kRoughShapes = [
  "zeros",
  "members",
  "a member twice",
  "long names",
  "one long number",
  "a text",
  "quotes",
  "cut off",
  "fractions",
];

function allShapes(): [string, Shape][] {
  const seeds = [1, ...(process.env["ABUSE_SEED"] ?? "").split(",").filter(Boolean).map(Number)];
  const mixtures = seeds.flatMap((seed) =>
    list(kMixtures, (at): [string, Shape] => {
      const own = seed * 1000 + at;
      return [`mixture ${own}`, mixture(own)];
    }),
  );
  return [...Object.entries(kShapes), ...mixtures];
}

function memoized(make: (bytes: number) => string): (bytes: number) => string {
  const made = new Map<number, string>();
  return (bytes) => {
    const value = made.get(bytes) ?? make(bytes);
    made.set(bytes, value);
    return value;
  };
}

/** What a route takes, or 2 MB, but for what is around the value. */
function room({ maxBytes }: Route): number {
  return Math.min(maxBytes, kMaxBytes) - kAroundBytes;
}

function pathOf({ path }: Route): string {
  const [of, row] = path.startsWith("/targets")
    ? [ids.target, ids.targetRow]
    : path.startsWith("/tenants")
      ? [ids.tenant, 0]
      : [ids.source, ids.sourceRow];
  return path
    .replace("{source_id}", String(ids.source))
    .replace("{target_id}", String(ids.target))
    .replace("{prop_id}", String(row))
    .replace("{id}", String(of));
}

function asked(
  method: string,
  target: string,
  body?: string,
  mediaType = "application/json",
): Asked {
  const headers: [string, string][] = [["x-api-key", key]];
  if (body === undefined) return { method, target, headers };
  const bytes = Buffer.from(body);
  headers.push(["content-type", mediaType], ["content-length", String(bytes.length)]);
  return { method, target, headers, body: bytes };
}

function send(route: Route, body: string, mediaType: string): Promise<Measured> {
  return core.measure(asked(route.method, pathOf(route), body, mediaType));
}

/** Holds what it is given to the bounds, and keeps the worst of it. */
class Worst {
  private count = 0;
  private grown = { bytes: 0, what: "" };
  private cpu = { ms: 0, what: "" };

  add({ method, path }: Route, name: string, measured: Measured): void {
    const what = `${method} ${path}, ${name}: ${measured.status}`;
    const { grownBytes, unreservedBytes, reservedBytes, cpuMs } = measured;
    assert.ok(measured.status !== 0 && measured.status !== 500, what);
    assert.ok(grownBytes <= kMaxGrownBytes, `${what}: ${grownBytes} bytes of memory`);
    const beyond = Math.max(unreservedBytes, grownBytes - reservedBytes);
    assert.ok(beyond <= kUnreservedBytes, `${what}: ${beyond} bytes that were not reserved`);
    assert.ok(cpuMs <= kMaxCpuMs * kCpuSlack, `${what}: ${cpuMs} ms`);
    this.count++;
    if (grownBytes > this.grown.bytes) this.grown = { bytes: grownBytes, what };
    if (cpuMs > this.cpu.ms) this.cpu = { ms: cpuMs, what };
  }

  told(): string {
    const { grown, cpu } = this;
    const memory = `${(grown.bytes / mebibyte).toFixed(1)} MiB (${grown.what})`;
    return `of ${this.count} requests at most ${memory} and ${cpu.ms.toFixed(0)} ms (${cpu.what})`;
  }
}
