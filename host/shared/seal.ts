// Sealing: AES-256-GCM with the deployment's key, which never enters the core. The context (tenant,
// owner, pointer) and the key's id are associated data, so a sealed text copied to another place
// does not open there.

const keyBytes = 32;
// NIST SP 800-38D: 96 bits is the nonce length that GCM is made for; random ones are fine below
// 2^32 for a key.
const nonceBytes = 12;

export type Sealed = { readonly keyId: string; readonly sealed: string };

export class Sealer {
  readonly keyId: string;
  private readonly key: CryptoKey;

  private constructor(keyId: string, key: CryptoKey) {
    this.keyId = keyId;
    this.key = key;
  }

  /** From base64 of 32 bytes; `undefined` when the variable is missing or malformed. */
  static async create(encoded: string | undefined): Promise<Sealer | undefined> {
    const bytes = decodeKey(encoded);
    if (bytes === undefined) return undefined;
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
    return new Sealer(hex(new Uint8Array(digest, 0, 4)), key);
  }

  /** What was sealed with this key, for this context; `undefined` where it was not. */
  async open({ keyId, sealed }: Sealed, context: string): Promise<Uint8Array | undefined> {
    const bytes = fromBase64(sealed);
    if (keyId !== this.keyId || bytes === undefined) return undefined;
    const parameters = this.parameters(bytes.subarray(0, nonceBytes), context);
    try {
      const plain = await crypto.subtle.decrypt(parameters, this.key, bytes.subarray(nonceBytes));
      return new Uint8Array(plain);
    } catch {
      return undefined;
    }
  }

  /** The nonce stands in front of the cipher text, and the tag of 16 bytes at its end. */
  async seal(plain: Uint8Array<ArrayBuffer>, context: string): Promise<Sealed> {
    const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
    const cipher = await crypto.subtle.encrypt(this.parameters(nonce, context), this.key, plain);
    const sealed = new Uint8Array(nonceBytes + cipher.byteLength);
    sealed.set(nonce);
    sealed.set(new Uint8Array(cipher), nonceBytes);
    return { keyId: this.keyId, sealed: toBase64(sealed) };
  }

  private parameters(
    nonce: Uint8Array<ArrayBuffer>,
    context: string,
  ): SubtleCryptoEncryptAlgorithm {
    const additionalData = new TextEncoder().encode(`${context}|${this.keyId}`);
    return { name: "AES-GCM", iv: nonce, additionalData, tagLength: 128 };
  }
}

/** The key that a variable holds; `undefined` where it holds none. */
export function decodeKey(encoded: string | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (encoded === undefined || !/^[A-Za-z0-9+/]{43}=$/.test(encoded.trim())) return undefined;
  const bytes = Uint8Array.from(atob(encoded.trim()), (char) => char.charCodeAt(0));
  return bytes.length === keyBytes ? bytes : undefined;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function toBase64(bytes: Uint8Array): string {
  // A call with more arguments than the stack holds would fail, so long texts go in pieces.
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192)
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}
