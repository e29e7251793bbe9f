import assert from "node:assert/strict";
import { createDecipheriv, createHash } from "node:crypto";
import { test } from "node:test";
import { decodeKey, Sealer } from "../../host/shared/seal.ts";

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

test("what was sealed for a place opens there alone", async () => {
  const sealer = await Sealer.create(key.toString("base64"));
  const other = await Sealer.create(Buffer.alloc(32, 8).toString("base64"));
  assert.ok(sealer && other);
  const plain = new Uint8Array(new TextEncoder().encode('"geheim €"'));
  const place = "7|source|12|/headers/authorization";
  const seal = await sealer.seal(plain, place);
  assert.deepEqual(await sealer.open(seal, place), plain);
  const elsewhere = [
    "8|source|12|/headers/authorization", // another tenant
    "7|target|12|/headers/authorization", // another owner
    "7|source|13|/headers/authorization",
    "7|source|12|/headers/cookie", // another pointer
    "7|source|1|2|/headers/authorization",
    "",
  ];
  for (const context of elsewhere)
    assert.equal(await sealer.open(seal, context), undefined, context);
  assert.equal(await other.open(seal, place), undefined, "another key");
  assert.equal(await other.open({ ...seal, keyId: other.keyId }, place), undefined);
  const bytes = Buffer.from(seal.sealed, "base64");
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const sealed = changed.toString("base64");
    assert.equal(await sealer.open({ ...seal, sealed }, place), undefined, `byte ${at}`);
  }
  for (const sealed of ["", "AA==", "no base64!", seal.sealed.slice(0, 20)]) {
    assert.equal(await sealer.open({ ...seal, sealed }, place), undefined);
  }
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
    assert.equal(decodeKey(encoded), undefined);
    assert.equal(await Sealer.create(encoded), undefined);
  }
  assert.deepEqual(Buffer.from(decodeKey(key.toString("base64")) ?? []), key);
});
