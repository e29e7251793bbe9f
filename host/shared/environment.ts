// What the core learns of a deployment's text variables: their texts, but of secrets only what it
// works with, and how large they are. What it asks of their sizes it says itself.

import { decodeKey } from "./seal.ts";
import { hmacKeyDigest, sha256 } from "./sha256.ts";

const nothing = new Uint8Array();
const encoder = new TextEncoder();

/** Each secret as bytes, and its digest. */
const secrets: Readonly<
  Record<string, (text: string) => { bytes: Uint8Array; digest: Uint8Array }>
> = {
  ADMIN_TOKEN: (text) => {
    const bytes = encoder.encode(text);
    return { bytes, digest: sha256(bytes) };
  },
  API_KEY_PEPPER: (text) => {
    const bytes = encoder.encode(text);
    return { bytes, digest: hmacKeyDigest(bytes) };
  },
  /** What is no base64 is of no size that a key has. */
  ENCRYPTION_KEY: (text) => ({ bytes: decodeKey(text) ?? nothing, digest: nothing }),
};

export type Environment = {
  readonly varsJson: string;
  readonly secretsJson: string;
  readonly encryptionKey: string | undefined;
};

export function readEnvironment(env: Readonly<Record<string, unknown>>): Environment {
  const texts = Object.entries(env).filter((entry): entry is [string, string] => {
    return typeof entry[1] === "string";
  });
  const vars = texts.filter(([name]) => !Object.hasOwn(secrets, name));
  const told = texts.flatMap(([name, text]) => {
    const read = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
    // An empty variable is how a local run takes one away.
    if (read === undefined || text === "") return [];
    const { bytes, digest } = read(text);
    return [[name, { bytes: bytes.length, digest: hex(digest) }]];
  });
  const { ENCRYPTION_KEY: encryptionKey } = env;
  return {
    varsJson: JSON.stringify(Object.fromEntries(vars)),
    secretsJson: JSON.stringify(Object.fromEntries(told)),
    encryptionKey: typeof encryptionKey === "string" ? encryptionKey : undefined,
  };
}

/** In capitals, as the core reads it. */
function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
}
