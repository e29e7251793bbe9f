// api.md section 2: /, /health, /docs and the OpenAPI document, which must be true to the routes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Answer, type Call, Client } from "./client.ts";
import { assertMembers } from "./rows.ts";
import { misfits, resolveRef, type Schema } from "./schema_check.ts";
import { devVariable, openServer } from "./server.ts";
import {
  createTenant,
  editRow,
  importItems,
  kUnusedId,
  sourceRow,
  syncedPair,
  targetRow,
} from "./world.ts";

const server = await openServer();
after(() => server.stop());

type Member = Record<string, unknown>;

interface Operation {
  parameters?: Member[];
  requestBody?: { content: Record<string, { example?: unknown }> };
  responses: Record<string, unknown>;
  security?: Member[];
  operationId?: string;
}

interface Document extends Member {
  openapi: string;
  info: Member;
  paths: Record<string, Member>;
  security?: Member[];
  servers?: Member[];
}

const kMethods = ["get", "put", "post", "delete", "patch"];
const open = new Client(server.origin);
const document = (await open.get("/openapi.json")).expect(200).json<Document>();

interface Route {
  method: string;
  template: string;
  operation: Operation;
}

const routes: Route[] = Object.entries(document.paths).flatMap(([template, item]) =>
  Object.entries(item)
    .filter(([method]) => kMethods.includes(method))
    .map(([method, operation]) => ({
      method: method.toUpperCase(),
      template,
      operation: operation as Operation,
    })),
);

/** The routes of the scope, with every path parameter written as {}. */
const kExpected = [
  "GET /health",
  "POST /tenants",
  "GET /tenants",
  "GET /tenants/{}",
  "POST /tenants/{}/suspend",
  "POST /tenants/{}/resume",
  "POST /tenants/{}/keys",
  "GET /keys",
  "POST /keys",
  "DELETE /keys/{}",
  "GET /sources",
  "POST /sources",
  "GET /sources/{}",
  "PATCH /sources/{}",
  "DELETE /sources/{}",
  "GET /targets",
  "POST /targets",
  "GET /targets/{}",
  "PATCH /targets/{}",
  "DELETE /targets/{}",
  "POST /sources/{}/import",
  "GET /sources/{}/properties",
  "GET /sources/{}/properties/{}",
  "GET /sources/{}/properties/{}/snapshots",
  "GET /targets/{}/properties",
  "GET /targets/{}/properties/{}",
  "PATCH /targets/{}/properties/{}",
  "GET /targets/{}/properties/{}/snapshots",
  "POST /sync/{}/{}",
  "GET /logs",
  "POST /cleanup",
];

function bare(template: string): string {
  return template.replace(/\{[^}]*\}/g, "{}");
}

/** Rows of every kind of a tenant. */
interface Live {
  readonly client: Client;
  /** By the first part of a path: the ids that follow in it. */
  readonly ids: Readonly<Record<string, readonly number[]>>;
}

async function createLive(): Promise<Live> {
  const tenant = await createTenant(server);
  const client = new Client(server.origin, tenant.api_key);
  const { source, target } = await syncedPair(client, [{ id: "a", v: 1 }]);
  await importItems(client, source, [{ id: "a", v: 2 }]);
  await editRow(client, await targetRow(client, target, "a"), { hand: 1 });
  const sourceItem = (await sourceRow(client, source, "a")).id;
  const targetItem = (await targetRow(client, target, "a")).id;
  const key = (await client.post("/keys")).expect(201).json<{ id: number }>().id;
  const ids = {
    sources: [source.id, sourceItem],
    targets: [target.id, targetItem],
    sync: [source.id, target.id],
    keys: [key],
    tenants: [tenant.id],
  };
  return { client, ids };
}

/** A path of the template that leads to the rows. */
function livePath({ ids }: Live, template: string): string {
  const known = [...(ids[template.split("/")[1] ?? ""] ?? [])];
  return template.replace(/\{[^}]*\}/g, () => String(known.shift() ?? kUnusedId));
}

/** The same rows for all requests that change nothing. */
const unchanged = createLive();

interface Sample {
  readonly type: string;
  readonly raw: string;
}

/** The bodies that the document gives as examples, as they stand; one of nothing where it takes none. */
function samples({ operation }: Route): (Sample | undefined)[] {
  const content = operation.requestBody?.content;
  if (content === undefined) return [undefined];
  return Object.entries(content).map(([type, { example }]) => {
    assert.ok(example !== undefined, `${operation.operationId} has no example of ${type}`);
    return { type, raw: typeof example === "string" ? example : JSON.stringify(example) };
  });
}

/** A call of the route by who may: the administrator's token goes with those that ask for it. */
function permitted({ operation }: Route, call: Call = {}): Call {
  if (!operation.security?.some((one) => "admin" in one)) return call;
  const token = devVariable(server.stateDir ?? "", "ADMIN_TOKEN");
  return { ...call, headers: { ...call.headers, Authorization: `Bearer ${token}` } };
}

function deref<T>(value: unknown): T {
  const ref = (value as Member | undefined)?.["$ref"];
  return (typeof ref === "string" ? resolveRef(document, ref) : value) as T;
}

/** Asserts that the answer is one that the operation documents, in status, type and shape. */
function assertDocumented({ method, template, operation }: Route, answer: Answer): void {
  const name = `${method} ${template} ${answer.status}`;
  const { responses } = operation;
  const entry =
    responses[String(answer.status)] ??
    responses[`${String(answer.status)[0]}XX`] ??
    responses["default"];
  assert.ok(entry, `${name} is not documented: ${answer.text.slice(0, 300)}`);
  const { content } = deref<{ content?: Record<string, { schema?: Schema }> }>(entry);
  const type = (answer.header("content-type") ?? "").split(";")[0]?.trim() ?? "";
  if (answer.bytes.length === 0) return;
  const media = content?.[type];
  assert.ok(media, `${name}: ${type} is not documented`);
  if (!/json$/.test(type)) return;
  assert.ok(media.schema !== undefined, `${name}: no schema`);
  assert.deepEqual(misfits(document, media.schema, answer.json()), [], `${name} ${answer.text}`);
}

test("GET / says what this is and leads to /docs", async () => {
  const answer = (await open.get("/")).expect(200);
  assert.match(answer.header("content-type") ?? "", /^text\/html/);
  assert.match(answer.text, /Sync Manager/);
  assert.match(answer.text, /href=["']?\/docs["'\s>]/);
});

test("GET /health: status ok, a version and the store", async () => {
  const answer = (await open.get("/health")).expect(200);
  const told = answer.json<{ status: string; version: unknown; store: unknown }>();
  assertMembers(told, ["status", "version", "store"]);
  assert.equal(told.status, "ok");
  assert.ok(told.version);
  assert.deepEqual(told.store, { kind: "d1", ok: true });
});

test("GET /docs: 200 at /docs itself, and it needs no internet access", async () => {
  const answer = (await open.get("/docs")).expect(200);
  assert.match(answer.header("content-type") ?? "", /^text\/html/);
  assert.doesNotMatch(answer.text, /(?:src|href)\s*=\s*["']?(?:https?:)?\/\//i);
  const links = [
    ...answer.text.matchAll(/<(?:script|link)\b[^>]*?(?:src|href)=["']([^"']+)["']/gi),
  ];
  assert.ok(links.length > 0, "scripts and styles");
  for (const [, link] of links) {
    if (link === undefined || link.startsWith("data:")) continue;
    const path = new URL(link, `${server.origin}/docs`).pathname;
    const asset = (await open.get(path)).expect(200);
    assert.ok(asset.bytes.length > 0, path);
  }
});

test("docs: documents have a tag, and are not sent again to who names it", async () => {
  const files = [
    "/docs/swagger-ui.css",
    "/docs/swagger-ui-bundle.js",
    "/docs/init.js",
    "/start.js",
  ];
  const tags = new Set<string>();
  for (const path of ["/", "/docs", "/openapi.json", ...files]) {
    const { etag } = (await open.get(path)).expect(200);
    assert.equal((await open.request("HEAD", path)).expect(200).etag, etag);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, `${etag},W/"a,b"`, "*"]) {
      const again = await open.get(path, { headers: { "If-None-Match": known } });
      assert.equal(again.expect(304).bytes.length, 0, `${path} ${known}`);
      assert.equal(again.etag, etag);
    }
    for (const unknown of ['"other"', '"a", W/"b"', etag.slice(1, -1), `"a,${etag.slice(1)}`]) {
      (await open.get(path, { headers: { "If-None-Match": unknown } })).expect(200);
    }
    tags.add(etag);
  }
  assert.equal(tags.size, 3 + files.length, "each its own");
});

test("docs: pages run what is ours alone, and send nothing anywhere else", async () => {
  for (const path of ["/", "/docs"]) {
    const policy = (await open.get(path)).header("content-security-policy") ?? "";
    const rules = new Map(
      policy.split("; ").map((rule) => rule.split(/ (.*)/, 2) as [string, string]),
    );
    for (const name of ["default-src", "base-uri", "form-action", "frame-ancestors"])
      assert.equal(rules.get(name), "'none'", `${path}: ${name}`);
    for (const name of ["script-src", "connect-src"]) assert.equal(rules.get(name), "'self'");
  }
});

test("GET /openapi.json and /docs/swagger.json are the same OpenAPI 3.1 document", async () => {
  const answer = await open.get("/openapi.json");
  assert.match(answer.header("content-type") ?? "", /^application\/json/);
  assert.equal((await open.get("/docs/swagger.json")).expect(200).text, answer.text);
  assert.match(document.openapi, /^3\.1\.\d+$/);
  assert.ok(document.info["title"] && document.info["version"]);
  for (const { url } of document.servers ?? []) assert.match(String(url), /^\/?$/, "this server");
});

test("openapi: schema/openapi.json is the served document (make openapi writes it)", () => {
  const committed = readFileSync(join(import.meta.dirname, "../../schema/openapi.json"), "utf8");
  assert.equal(`${JSON.stringify(document, null, 2)}\n`, committed);
});

test("openapi: it has every route of the specification", () => {
  const found = routes.map(({ method, template }) => `${method} ${bare(template)}`);
  assert.deepEqual(
    kExpected.filter((route) => !found.includes(route)),
    [],
  );
});

test("openapi: references resolve, parameters match the paths, operation ids differ", () => {
  const refs = JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g);
  for (const [, ref] of refs) assert.ok(resolveRef(document, ref ?? ""));
  const ids = routes.flatMap(({ operation }) => operation.operationId ?? []);
  assert.equal(new Set(ids).size, ids.length);
  for (const { method, template, operation } of routes) {
    const item = document.paths[template]?.["parameters"] as Member[] | undefined;
    const parameters = [...(item ?? []), ...(operation.parameters ?? [])].map(deref<Member>);
    const named = [...template.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
    const inPath = parameters.filter((parameter) => parameter["in"] === "path");
    assert.deepEqual(
      inPath.map((parameter) => parameter["name"]).sort(),
      [...named].sort(),
      `${method} ${template}`,
    );
    for (const parameter of inPath) assert.equal(parameter["required"], true);
    assert.ok(Object.keys(operation.responses).length > 0);
  }
});

test("openapi: OPTIONS and Allow name the documented methods of every path", async () => {
  for (const template of Object.keys(document.paths)) {
    const live = await unchanged;
    const answer = (await live.client.request("OPTIONS", livePath(live, template))).expect(204);
    const allowed = (answer.header("allow") ?? "")
      .split(/\s*,\s*/)
      .filter((name) => name !== "HEAD" && name !== "OPTIONS");
    const documented = routes.filter((route) => route.template === template);
    assert.deepEqual(allowed.sort(), documented.map((route) => route.method).sort(), template);
  }
});

function isOpen({ operation }: Route): boolean {
  return (operation.security ?? document.security ?? []).length === 0;
}

/** What is refused alike on every route, of its query and of its body, as far as it looks at them. */
function refusals(route: Route): [status: number, query: string, call: Call][] {
  if (isOpen(route)) return [];
  const all: [number, string, Call][] = [[422, `?limit=${"1".repeat(16 * 1024)}`, {}]];
  if (route.method === "GET") return all;
  all.push([400, "", { raw: "{" }]);
  all.push([415, "", { raw: "{}", headers: { "Content-Type": "text/plain" } }]);
  // That of imports is a hundred times as large (limits.test.ts).
  if (!route.template.endsWith("/import"))
    all.push([413, "", { raw: " ".repeat(1024 * 1024 + 1) }]);
  assert.ok("413" in route.operation.responses);
  return all;
}

for (const route of routes) {
  const { method, template } = route;

  test(`openapi: ${method} ${template} answers as documented, to its examples, too`, async () => {
    for (const sample of samples(route)) {
      const live = await createLive();
      const answer = await live.client.request(
        method,
        livePath(live, template),
        permitted(
          route,
          sample === undefined ? {} : { raw: sample.raw, headers: { "Content-Type": sample.type } },
        ),
      );
      assert.ok(answer.status >= 200 && answer.status < 300, `${answer.status}: ${answer.text}`);
      assertDocumented(route, answer);
      if (template.endsWith("/import")) {
        const { status, stats } = answer.json<{ status: string; stats: { created: number } }>();
        assert.deepEqual([status, stats.created], ["success", 2], "nothing of an example fails");
      }
    }
  });

  test(`openapi: ${method} ${template} refuses as documented`, async () => {
    const live = await unchanged;
    const { client } = live;
    const path = livePath(live, template);
    const security = route.operation.security ?? document.security ?? [];
    const needsKey = security.length > 0 && !security.some((one) => Object.keys(one).length === 0);
    const keyless = await client.request(method, path, { key: null });
    const isSignup = method === "POST" && template === "/tenants";
    if (!isSignup) assert.equal(keyless.status === 401, needsKey, `security of ${template}`);
    assertDocumented(route, keyless);
    if (template.includes("{")) {
      const unused = template.replace(/\{[^}]*\}/g, String(kUnusedId));
      const missing = await client.request(method, unused, permitted(route));
      assertDocumented(route, missing.expect(404));
    }
    const wrong = await client.request(method, `${path}?no_such_parameter=1`, permitted(route));
    assertDocumented(route, isOpen(route) ? wrong.expect(200) : wrong.expect(422));
    for (const [status, query, call] of refusals(route)) {
      const refused = await client.request(method, path + query, permitted(route, call));
      assertDocumented(route, refused.expect(status));
    }
  });
}
