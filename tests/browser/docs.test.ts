// The documentation page in a real browser, with no way to the internet.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, test } from "node:test";
import { chromium, type Page } from "playwright-core";
import { openServer } from "../contract/server.ts";

const kChromium = "/usr/bin/chromium";
assert.ok(existsSync(kChromium), "this test needs Chromium: apt-get install chromium");

const server = await openServer();
const browser = await chromium.launch({
  executablePath: kChromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
after(async () => {
  await browser.close();
  await server.stop();
});

/** A page that notes what it must not do. */
async function openPage(path: string): Promise<{ page: Page; faults: string[] }> {
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server.origin) && !url.startsWith("data:")) faults.push(`left for ${url}`);
  });
  await page.goto(server.origin + path);
  return { page, faults };
}

test("docs: the start page leads to the documentation", async () => {
  const { page, faults } = await openPage("/");
  await page.getByRole("link", { name: "Interactive documentation" }).click();
  await page.waitForSelector("#docs .opblock");
  assert.equal(new URL(page.url()).pathname, "/docs");
  assert.deepEqual(faults, []);
});

/** Sends the operation as "Try it" would, and gives the status and body that the page shows. */
async function tryIt(
  page: Page,
  id: string,
  body?: unknown,
): Promise<{ status: string; text: string }> {
  const block = page.locator(`[id$="-${id}"]`);
  await block.locator(".opblock-summary-control").click();
  if (body !== undefined) {
    await block.locator("textarea.body-param__text").fill(JSON.stringify(body));
  }
  await block.locator("button.execute").click();
  const answer = block.locator(".live-responses-table .response");
  await answer.waitFor();
  const code = await answer.locator(".response-col_status").textContent();
  const shown = await answer
    .locator(".response-col_description pre.microlight")
    .first()
    .textContent();
  return { status: (code ?? "").trim().slice(0, 3), text: shown ?? "" };
}

test("docs: Try it makes a tenant, takes its key, and works with it", async () => {
  const { page, faults } = await openPage("/docs");
  await page.waitForSelector("#docs .opblock");
  const tenant = await tryIt(page, "post_tenants", { name: "From the page" });
  assert.equal(tenant.status, "201");
  const key = /"api_key":\s*"([^"]+)"/.exec(tenant.text)?.[1] ?? "";
  await page.getByRole("button", { name: "Authorize" }).first().click();
  const dialog = page.locator(".modal-ux");
  await dialog.locator('input[type="text"], input[type="password"]').first().fill(key);
  await dialog.locator("button.authorize").first().click();
  await dialog.locator("button.btn-done").first().click();
  const created = await tryIt(page, "post_sources", { name: "Made on the page", type: "json" });
  assert.equal(created.status, "201");
  const list = await tryIt(page, "get_sources");
  assert.equal(list.status, "200");
  assert.match(list.text, /Made on the page/);
  assert.deepEqual(faults, []);
});
