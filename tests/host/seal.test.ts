import assert from "node:assert/strict";
import { createDecipheriv, createHash } from "node:crypto";
import { test } from "node:test";
import { isKey, Sealer } from "../../host/shared/seal.ts";

const key = Buffer.alloc(32, 7);

test("what was sealed opens with key, context and key id, and with nothing else", async () => {
  const sealer = await Sealer.create(key.toString("base64"));
  assert.ok(sealer);
  const plain = new Uint8Array(new TextEncoder().encode("geheim €"));
  const { keyId, sealed } = await sealer.seal(plain, "tenant:1|field");
  assert.equal(keyId, createHash("sha256").update(key).digest("hex").slice(0, 8));
  const open = (context: string): string => {
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(`${context}|${keyId}`)).setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString();
  };
  assert.equal(open("tenant:1|field"), "geheim €");
  assert.throws(() => open("tenant:2|field"));
});

test("two seals of one text differ, and a long text is no problem", async () => {
  const sealer = await Sealer.create(key.toString("base64"));
  assert.ok(sealer);
  const plain = new Uint8Array(300_000);
  const [one, other] = [await sealer.seal(plain, ""), await sealer.seal(plain, "")];
  assert.notEqual(one.sealed, other.sealed);
  assert.equal(Buffer.from(one.sealed, "base64").length, plain.length + 28);
});

test("a missing or malformed key seals nothing", async () => {
  const wrong = [
    undefined,
    "",
    "x",
    Buffer.alloc(31).toString("base64"),
    Buffer.alloc(33).toString("base64"),
    "!".repeat(44),
  ];
  for (const encoded of wrong) {
    assert.equal(isKey(encoded), false);
    assert.equal(await Sealer.create(encoded), undefined);
  }
  assert.equal(isKey(key.toString("base64")), true);
});
