// What the core learns of a deployment's variables: no secret of it.

import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { readEnvironment } from "../../host/shared/environment.ts";
import { hmacKeyDigest, sha256 } from "../../host/shared/sha256.ts";

/** The key `Jefe` of RFC 4231, of which core/base/sha256_test.cc makes the HMAC. */
const kJefe =
  "655DA7FACC434B375A1CD5CB0692EE0EA47A23D34C3AF449DBA21AE278C7500C" +
  "0EAFE3D513412E6C6A6A2FEB2D375ACC51A4FD476DB095E823BFA18A52F141D5";

type Told = Record<string, { bytes: number; digest: string }>;

const secrets = {
  ADMIN_TOKEN: "token of the administrator é",
  API_KEY_PEPPER: "pepper that nobody else may ever see",
  ENCRYPTION_KEY: Buffer.alloc(32, 9).toString("base64"),
};

function told(env: Record<string, unknown>): Told {
  return JSON.parse(readEnvironment(env).secretsJson);
}

test("variables are told as texts, secrets by their size and their digest alone", () => {
  const env = { ...secrets, GREETING: "hi", DB: {}, toString: "a name like any other" };
  const { varsJson, secretsJson, encryptionKey } = readEnvironment(env);
  assert.deepEqual(JSON.parse(varsJson), { GREETING: "hi", toString: "a name like any other" });
  for (const secret of Object.values(secrets)) {
    assert.ok(!`${varsJson}${secretsJson}`.includes(secret), secret);
  }
  const token = createHash("sha256").update(secrets.ADMIN_TOKEN).digest("hex").toUpperCase();
  const { ADMIN_TOKEN, API_KEY_PEPPER, ENCRYPTION_KEY } = JSON.parse(secretsJson);
  assert.deepEqual(ADMIN_TOKEN, { bytes: 29, digest: token });
  assert.equal(API_KEY_PEPPER.bytes, 36);
  assert.match(API_KEY_PEPPER.digest, /^[0-9A-F]{128}$/);
  assert.deepEqual(ENCRYPTION_KEY, { bytes: 32, digest: "" });
  assert.equal(encryptionKey, secrets.ENCRYPTION_KEY);
});

test("a secret that is not set, or empty, is not there; one that is no key has no bytes", () => {
  assert.deepEqual(told({}), {});
  assert.deepEqual(told({ ADMIN_TOKEN: "", API_KEY_PEPPER: "", ENCRYPTION_KEY: "" }), {});
  for (const ENCRYPTION_KEY of ["no base64", Buffer.alloc(31).toString("base64"), "A".repeat(44)]) {
    assert.deepEqual(told({ ENCRYPTION_KEY }), { ENCRYPTION_KEY: { bytes: 0, digest: "" } });
  }
});

test("sha256: every length up to some blocks", () => {
  for (let length = 0; length < 300; length++) {
    const message = Uint8Array.from({ length }, (_, i) => (i * 37 + length) % 256);
    const expected = createHash("sha256").update(message).digest("hex");
    assert.equal(Buffer.from(sha256(message)).toString("hex"), expected, `${length}`);
  }
});

test("hmac: the digest of a key is what an HMAC has taken in of it", () => {
  const bytes = new Uint8Array(Buffer.from("Jefe"));
  assert.equal(Buffer.from(hmacKeyDigest(bytes)).toString("hex").toUpperCase(), kJefe);
  // A key of more than a block counts by its hash.
  const long = new Uint8Array(131).fill(0xaa);
  assert.deepEqual(hmacKeyDigest(long), hmacKeyDigest(sha256(long)));
  assert.equal(
    createHmac("sha256", long).update("x").digest("hex"),
    createHmac("sha256", sha256(long)).update("x").digest("hex"),
  );
});
