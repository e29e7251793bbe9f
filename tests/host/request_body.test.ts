// Bodies of requests by themselves: when one is there, and what a client that stalls keeps from others. How they
// come in through the loop is in drive.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyRoom, type Client } from "../../host/shared/body_room.ts";
import { defaultPoolOptions } from "../../host/shared/core/pool_options.ts";
import { Credit } from "../../host/shared/patience.ts";
import { RequestBody } from "../../host/shared/request_body.ts";

test("a client that stalls within a large body lends its memory, and fails once it must yield", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const stream = new ReadableStream({ type: "bytes" });
  const client: Client = { party: "k", credit: new Credit(defaultPoolOptions), left: false };
  const log: string[] = [];
  let yields = false;
  const held = {
    credit: client.credit,
    mustYield: () => yields,
    lend: () => log.push("lent"),
    takeBack: async () => log.push("back") > 0,
  };
  const body = new RequestBody(stream as never, null, client, new BodyRoom());
  const reading = body.read(held);
  assert.equal(client.credit.awaitsClient, true);
  t.mock.timers.tick(20);
  while (log.length === 0) await Promise.resolve();
  t.mock.timers.tick(1000);
  yields = true;
  t.mock.timers.tick(250);
  assert.deepEqual(await reading, { ok: false, error: "overloaded" });
  assert.equal(client.credit.awaitsClient, false);
  assert.deepEqual(log, ["lent", "back"]);
});

test("a body of no bytes is there from the beginning, and one of some when they are", async () => {
  const client: Client = { party: "", credit: new Credit(defaultPoolOptions), left: false };
  const bodyOf = (length: string | null) =>
    new RequestBody(new Blob(["abc"]).stream() as never, length, client, new BodyRoom());
  assert.equal(bodyOf("0").arrived, true);
  for (const length of ["3", null]) {
    const body = bodyOf(length);
    assert.equal(body.arrived, false);
    assert.equal(await body.gather(), true);
    assert.equal(body.arrived, true);
  }
});
