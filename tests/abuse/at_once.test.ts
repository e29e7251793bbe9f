// What takes much memory, many at once: each is bounded, who finds no room waits for it or is told so, and
// the server does not grow by what all of them would take together.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startServer } from "../contract/server.ts";
import { createSource, importItems, newClient, range } from "../contract/world.ts";
import { kTidyMemory, megabytes, residentBytes, workerOf } from "../faults/processes.ts";

const server = await startServer({ env: kTidyMemory });
after(() => server.stop());

const kRowBytes = 520_000;
const kRows = 12;
const kAtOnce = 20;
const kMaxPageBytes = 1_500_000;
/** Twenty pages of thousand rows of 512 KiB took 1.5 GB. */
const kMaxGrownBytes = 300 * 1024 * 1024;
const kPauseMs = 20;

test("abuse: twenty bodies of a million values at once", { timeout: 600_000 }, async (t) => {
  const client = await newClient(server);
  const { id } = await createSource(client);
  const path = `/sources/${id}/import`;
  const zeros = `[${"0,".repeat(800_000)}0]`;
  const raw = `{"data":[{"id":"fine"},{"id":"wide","a":${zeros}}]}`;
  const headers = { "content-type": "application/json" };
  const answers = await Promise.all(
    range(kAtOnce).map(() => client.post(path, undefined, { raw, headers })),
  );
  const taken = answers.filter(({ status }) => status !== 503);
  t.diagnostic(`${taken.length} of ${kAtOnce} found room`);
  assert.ok(taken.length > 0);
  for (const answer of taken) {
    answer.expect(200);
    assert.match(answer.text, /"failed":1,.*"external_id":"wide".*more than 50,000 values/);
  }
});

test("abuse: twenty pages of a thousand rows of 512 KiB at once", {
  timeout: 600_000,
}, async (t) => {
  const client = await newClient(server);
  // Both ways in which data leave the store: as text, and in hexadecimal.
  const texts = ["x".repeat(kRowBytes), "é".repeat(kRowBytes / 2)];
  const sources = [];
  for (const text of texts) {
    const source = await createSource(client);
    await importItems(
      client,
      source,
      range(kRows).map((id) => ({ id, text })),
    );
    sources.push(source);
  }
  const { pid } = workerOf(server.stateDir ?? "");
  for (const source of sources) {
    const path = `/sources/${source.id}/properties?limit=1000`;
    const before = residentBytes(pid);
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, residentBytes(pid));
    }, kPauseMs);
    const pages = await Promise.all(range(kAtOnce).map(() => client.get(path)));
    clearInterval(watch);
    for (const page of pages) {
      page.expect(200);
      assert.ok(page.bytes.length <= kMaxPageBytes + 2, `${page.bytes.length} bytes`);
      assert.equal(page.json<unknown[]>().length, 2);
      assert.match(page.header("link") ?? "", /rel="next"/);
    }
    t.diagnostic(`${megabytes(most - before)} more, of ${megabytes(before)}`);
    assert.ok(most - before < kMaxGrownBytes, megabytes(most - before));
  }
});
