// Shapes of JSON that cost much for their size: each makes a text of about so many bytes.

export type Shape = (bytes: number) => string;

/** `piece` again and again, between two brackets. */
function many(open: string, piece: string | ((at: number) => string), close: string): Shape {
  return (bytes) => {
    const room = bytes - open.length - close.length;
    if (typeof piece === "string") {
      const count = Math.max(1, Math.floor((room + 1) / (piece.length + 1)));
      return `${open}${Array(count).fill(piece).join(",")}${close}`;
    }
    const pieces: string[] = [];
    for (let at = 0, length = 0; ; at++) {
      const next = piece(at);
      length += Buffer.byteLength(next) + 1;
      if (at > 0 && length > room) break;
      pieces.push(next);
    }
    return `${open}${pieces.join(",")}${close}`;
  };
}

const list = (piece: string | ((at: number) => string)): Shape => many("[", piece, "]");
const object = (piece: string | ((at: number) => string)): Shape => many("{", piece, "}");
const text = (piece: string): Shape => {
  return (bytes) => `"${piece.repeat(Math.max(1, Math.floor(bytes / Buffer.byteLength(piece))))}"`;
};
const nest = (levels: number, open: string, close: string): string =>
  open.repeat(levels) + (open.endsWith(":") ? "0" : "") + close.repeat(levels);
const deep = (open: string, close: string): Shape => {
  return (bytes) => nest(Math.floor(bytes / (open.length + close.length)), open, close);
};
const key = (at: number): string => at.toString(36);

export const kShapes: Readonly<Record<string, Shape>> = {
  zeros: list("0"),
  "empty strings": list('""'),
  "empty lists": list("[]"),
  "empty objects": list("{}"),
  literals: list("null"),
  exponents: list("1e5"),
  fractions: list("0.1234567890123456789e-300"),
  "tiny numbers": list("1.2e-310"),
  "huge numbers": list("1.234567890123456e307"),
  "numbers in the middle of two": list("9007199254740993.0"),
  "numbers close to a middle": list("1.00000000000000011102230246251565404e-99"),
  "long fractions": list(`0.${"1234567890".repeat(80)}`),
  "one long number": (bytes) => "9".repeat(bytes),
  "numbers beyond the doubles": list("1e999"),
  "small objects": list('{"a":0}'),
  "objects of other keys": list((at) => `{"${key(at)}":0,"b":0}`),
  members: object((at) => `"${key(at)}":0`),
  "members backwards": object((at) => `"${key(9e6 - at)}":0`),
  "members of a long prefix": object((at) => `"${"p".repeat(64)}${key(at)}":0`),
  "members beyond ASCII": object((at) => `"\u{1f600}é${key(at)}":0`),
  "members with escapes": object((at) => `"\\/\\u0061${key(at)}":"\\/"`),
  "empty members": object('"":0'),
  "a member twice": object('"token":"a"'),
  secrets: list('{"token":"a"}'),
  masks: list('{"token":"********"}'),
  headers: many('{"headers":{', (at) => `"${key(at)}":"********"`, "}}"),
  "a long name": (bytes) => `{"${"~".repeat(bytes)}":0}`,
  "long names": object((at) => `"${key(at)}${"~/".repeat(500)}":0`),
  "a text": text("a"),
  "a text beyond ASCII": text("é"),
  "escapes of control characters": text("\\u0001"),
  "escapes that shrink": text("\\/"),
  "many escapes": list('"\\/"'),
  quotes: text('\\"'),
  "halves of surrogate pairs": list('"\\ud800"'),
  "lists in lists": deep("[", "]"),
  "objects in objects": deep('{"a":', "}"),
  "as deep as allowed": list(nest(120, "[", "]")),
  "objects as deep as allowed": list(nest(120, '{"a":', "}")),
  blanks: (bytes) => " ".repeat(bytes),
  "cut off": (bytes) => `[${"0,".repeat(bytes / 2)}`,
  "open brackets": (bytes) => "[".repeat(bytes),
  "no UTF-8 at the end": (bytes) => `["${"a".repeat(bytes)}\\ud83`,
};

/** Shapes within a list, as they come from a seed (mulberry32). */
export function mixture(seed: number): Shape {
  let state = seed;
  const below = (bound: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
  const all = Object.values(kShapes);
  return (bytes) => {
    const count = 2 + below(4);
    const parts = Array.from({ length: count }, () => all[below(all.length)]?.(bytes / count - 8));
    return below(2) === 0
      ? `[${parts.join(",")}]`
      : `{${parts.map((part, at) => `"${key(at)}":${part}`).join(",")}}`;
  };
}
