// The start page, the documentation, and what a browser keeps of answers, in a real browser, which has no way to the
// internet.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { promisify } from "node:util";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { Client } from "../contract/client.ts";
import { openServer, type Server } from "../contract/server.ts";
import { createSource, createTenant, importItems } from "../contract/world.ts";

const kChromium = "/usr/bin/chromium";
const kArguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
// A page that lacks something fails soon, and says for what it waited.
const kWaitMs = 15_000;

let server: Server;
let browser: Browser;

before(async () => {
  assert.ok(
    existsSync(kChromium),
    `these tests need ${kChromium}: apt-get install -y chromium, or tools/bootstrap.sh test`,
  );
  [server, browser] = await Promise.all([
    openServer(),
    chromium.launch({ executablePath: kChromium, args: kArguments }),
  ]);
});

// A page that is left open goes on working.
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

after(async () => {
  await browser?.close();
  await server?.stop();
});

interface Watched {
  readonly page: Page;
  /** What the page did and must not do. */
  readonly faults: string[];
  /** The paths that it asked the server for. */
  readonly asked: string[];
}

async function openPage(path: string): Promise<Watched> {
  const context = await browser.newContext();
  context.setDefaultTimeout(kWaitMs);
  const page = await context.newPage();
  const watched: Watched = { page, faults: [], asked: [] };
  await watch(context, watched);
  const answer = await page.goto(server.origin + path);
  assert.equal(answer?.status(), 200);
  return watched;
}

async function watch(context: BrowserContext, { page, faults, asked }: Watched): Promise<void> {
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error}`));
  page.on("websocket", (socket) => faults.push(`socket to ${socket.url()}`));
  page.on("requestfailed", (request) => faults.push(`failed: ${request.url()}`));
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} for ${response.url()}`);
  });
  await context.exposeFunction("noteViolation", (what: string) => faults.push(`policy: ${what}`));
  await context.addInitScript(`document.addEventListener("securitypolicyviolation", (event) =>
    noteViolation(event.violatedDirective + " " + event.blockedURI))`);
  await context.route("**/*", (route) => {
    const url = new URL(route.request().url());
    if (url.origin === server.origin) {
      asked.push(url.pathname);
      return route.continue();
    }
    faults.push(`left for ${url}`);
    return route.abort();
  });
}

test("docs: the start page leads to the documentation", async () => {
  const { page, faults } = await openPage("/");
  await page.getByRole("link", { name: "Interactive documentation" }).click();
  await page.locator("#docs .opblock").first().waitFor();
  assert.equal(new URL(page.url()).pathname, "/docs");
  assert.deepEqual(faults, []);
});

test("docs: the start page's lines name this server, are copied whole, and run as they are", async () => {
  const { page, faults } = await openPage("/");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy them" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = String(await page.evaluate("navigator.clipboard.readText()"));
  for (const line of copied.split("\n").filter((line) => line.includes("curl"))) {
    assert.ok(line.includes(` ${server.origin}/`), line);
  }
  assert.deepEqual(faults, []);
  const { stdout } = await promisify(execFile)("sh", ["-euc", copied]);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 4, `an answer a line:\n${stdout}`);
  assert.match(lines[0] ?? "", /"created":1\b/);
  assert.match(lines[1] ?? "", /"created":1\b/);
  assert.deepEqual(JSON.parse(lines[2] ?? "")[0].data, { id: "1", title: "Villa" });
  assert.match(lines[3] ?? "", /: sm_\S+$/);
});

test("docs: the page shows every operation of the document, and needs nothing but this server", async () => {
  const { page, faults, asked } = await openPage("/docs");
  await page.locator("#docs .opblock").first().waitFor();
  const document = (await (await fetch(`${server.origin}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const operations = Object.values(document.paths).flatMap((path) =>
    Object.keys(path).filter((name) => /^(get|post|put|patch|delete)$/.test(name)),
  );
  assert.ok(operations.length > 20, `${operations.length} operations`);
  assert.equal(await page.locator("#docs .opblock").count(), operations.length);
  assert.equal(await page.locator("#docs .errors-wrapper").count(), 0, "errors in the document");
  assert.ok(asked.includes("/docs/swagger-ui-bundle.js"), `asked for ${asked}`);
  assert.deepEqual(faults, []);
});

interface Shown {
  readonly status: string;
  readonly text: string;
}

/** Sends the operation by "Try it", and gives the status and the body that the page shows. */
async function tryIt(page: Page, id: string, body?: unknown): Promise<Shown> {
  const block = page.locator(`[id$="-${id}"]`);
  await block.locator(".opblock-summary-control").click();
  if (body !== undefined) {
    await block.locator("textarea.body-param__text").fill(JSON.stringify(body));
  }
  await block.locator("button.execute").click();
  const answer = block.locator(".live-responses-table .response");
  await answer.waitFor();
  const status = (await answer.locator(".response-col_status").textContent()) ?? "";
  const shown = answer.locator(".response-col_description pre.microlight").first();
  return { status: status.trim().slice(0, 3), text: (await shown.textContent()) ?? "" };
}

async function authorize(page: Page, key: string): Promise<void> {
  await page.locator(".auth-wrapper .btn.authorize").click();
  const dialog = page.locator(".modal-ux");
  await dialog.locator("input").first().fill(key);
  await dialog.locator("button.authorize").first().click();
  await dialog.locator("button.btn-done").first().click();
  await dialog.waitFor({ state: "detached" });
}

test("docs: Try it makes a tenant, takes its key, and works with it", async () => {
  const { page, faults } = await openPage("/docs");
  await page.locator("#docs .opblock").first().waitFor();
  const tenant = await tryIt(page, "post_tenants", { name: "From the page" });
  assert.equal(tenant.status, "201");
  const { api_key } = JSON.parse(tenant.text) as { api_key: string };
  await authorize(page, api_key);
  const created = await tryIt(page, "post_sources", { name: "Made on the page", type: "json" });
  assert.equal(created.status, "201");
  const list = await tryIt(page, "get_sources");
  assert.equal(list.status, "200");
  const rows = JSON.parse(list.text) as { name: string }[];
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["Made on the page"],
  );
  assert.deepEqual(faults, []);
});

/** What the page's own `fetch` gives for a key, from the browser's cache where that may answer. */
function read(page: Page, path: string, key: string, cache: string): Promise<string> {
  const init = JSON.stringify({ headers: { "X-API-Key": key }, cache });
  return page.evaluate(`fetch(${JSON.stringify(path)}, ${init}).then((answer) => answer.text())`);
}

test("caches: a browser shows one tenant nothing that it keeps of another", async () => {
  const paths = ["/logs", "/sources", "/keys"];
  const keys: string[] = [];
  for (const name of ["First", "Second"]) {
    const { api_key } = await createTenant(server, name);
    keys.push(api_key);
    const client = new Client(server.origin, api_key);
    await importItems(client, await createSource(client, {}, `The source of ${name}`), [{ id: 1 }]);
  }
  const [first = "", second = ""] = keys;
  // Not watched: a browser whose requests are looked at keeps no answers.
  const page = await browser.newPage();
  await page.goto(server.origin);
  for (const path of paths) {
    const own = await Promise.all(
      keys.map(async (key) => (await new Client(server.origin, key).get(path)).text),
    );
    assert.notEqual(own[0], own[1], `${path} tells the tenants apart`);
    for (const [key, at] of [
      [first, 0],
      [first, 0],
      [second, 1],
      [first, 0],
    ] as const)
      for (const cache of ["force-cache", "default", "no-cache"])
        assert.equal(await read(page, path, key, cache), own[at], `${path}, ${cache}`);
  }
});

test("docs: the watch notices what the page must not do", async () => {
  const { page, faults } = await openPage("/docs");
  await page.evaluate(`fetch("https://example.com/").catch(() => 0)`);
  await page.evaluate(`document.body.append(Object.assign(document.createElement("script"),
    { textContent: "window.inline = 1" }))`);
  await page.evaluate(`console.error("said so")`);
  const wanted = [/^policy: connect-src/, /^policy: script-src/, /^console: said so/];
  for (const pattern of wanted) {
    assert.ok(
      faults.some((fault) => pattern.test(fault)),
      `${pattern} among ${faults}`,
    );
  }
});
