// SHA-256 (FIPS 180-4), without the wait that the platform's own has, and with a look at its state
// between two blocks, which no platform gives.

const blockBytes = 64;

/** The fractions of roots of the first primes, 32 bits of each. */
function rootFractions(count: number, root: (prime: number) => number): Int32Array {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++)
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return Int32Array.from(primes, (prime) => Math.floor((root(prime) % 1) * 2 ** 32));
}

const initial = rootFractions(8, Math.sqrt);
const constants = rootFractions(64, Math.cbrt);

function rotated(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function compress(state: Int32Array, block: DataView): void {
  const w = new Int32Array(64);
  for (let i = 0; i < 16; i++) w[i] = block.getInt32(4 * i);
  for (let i = 16; i < 64; i++) {
    const early = w[i - 15]!;
    const late = w[i - 2]!;
    const s0 = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const s1 = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + constants[i]! + w[i]!) | 0;
    const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i] = state[i]! + word;
}

/** Takes in whole blocks. */
function absorb(state: Int32Array, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += blockBytes)
    compress(state, new DataView(bytes.buffer, bytes.byteOffset + at, blockBytes));
}

function bytesOf(state: Int32Array): Uint8Array {
  const bytes = new Uint8Array(4 * state.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of state.entries()) view.setInt32(4 * i, word);
  return bytes;
}

export function sha256(message: Uint8Array): Uint8Array {
  const lengthBytes = 8;
  const blocks = Math.ceil((message.length + 1 + lengthBytes) / blockBytes);
  const padded = new Uint8Array(blocks * blockBytes);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, message.length * 8);
  const state = initial.slice();
  absorb(state, padded);
  return bytesOf(state);
}

/**
 * What an HMAC (RFC 2104) needs of its key: the states of the inner and the outer hash behind the
 * key's block. It signs as the key does, and does not tell the key.
 */
export function hmacKeyDigest(key: Uint8Array): Uint8Array {
  const block = new Uint8Array(blockBytes);
  block.set(key.length > blockBytes ? sha256(key) : key);
  const [inner, outer] = [0x36, 0x5c].map((pad) => {
    const state = initial.slice();
    absorb(
      state,
      block.map((byte) => byte ^ pad),
    );
    return bytesOf(state);
  });
  return new Uint8Array([...inner!, ...outer!]);
}
