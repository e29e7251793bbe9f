// The canonicaliser against an independent implementation: `canonicalize` (RFC 8785) over `lossless-json` (integers digit
// for digit), node:crypto for the hash, and a small strict scanner for what the two leave open: the offset of a syntax
// error, duplicate keys, lone surrogates, depth.
//
// CANONICAL_TOOL, or build/native/tests/canonical_tool, is the program built from canonical_tool.cc. SEED repeats a run that failed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { test } from "node:test";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { parse } from "lossless-json";

const tool =
  process.env.CANONICAL_TOOL ??
  new URL("../../../build/native/tests/canonical_tool", import.meta.url).pathname;
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const limitBytes = 512 * 1024;

function answerAll(texts) {
  const frames = texts.map((text) => {
    const bytes = Buffer.from(text);
    const head = Buffer.alloc(4);
    head.writeUInt32LE(bytes.length);
    return Buffer.concat([head, bytes]);
  });
  const run = spawnSync(tool, { input: Buffer.concat(frames), maxBuffer: 2 ** 30 });
  assert.equal(run.status, 0, String(run.stderr));
  const answers = [];
  for (let at = 0; at < run.stdout.length; ) {
    const size = run.stdout.readUInt32LE(at);
    answers.push(JSON.parse(run.stdout.toString("utf8", at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return answers;
}

function sample(arbitrary, count) {
  return fc.sample(arbitrary, { numRuns: count, seed });
}

class Bad extends Error {
  constructor(offset) {
    super(`syntax error at ${offset}`);
    this.offset = offset;
  }
}

// Reads strict JSON byte by byte. Returns the refusals that apply, in the order in which they are met.
class Scanner {
  at = 0;
  depth = 0;
  deepest = 0;
  refusals = [];

  constructor(bytes) {
    this.bytes = bytes;
  }

  get byte() {
    return this.bytes[this.at] ?? -1;
  }

  get char() {
    return this.byte < 0 ? "" : String.fromCharCode(this.byte);
  }

  fail() {
    throw new Bad(this.at);
  }

  expect(pattern) {
    if (this.char === "" || !pattern.test(this.char)) this.fail();
    this.at++;
  }

  space() {
    while (this.char !== "" && " \n\r\t".includes(this.char)) this.at++;
  }

  document() {
    for (const byte of this.bytes[0] === 0xef ? [0xef, 0xbb, 0xbf] : []) {
      if (this.byte !== byte) this.fail();
      this.at++;
    }
    this.space();
    this.value();
    this.space();
    if (this.at < this.bytes.length) this.fail();
  }

  value() {
    if (this.char === "{") this.list("}", (keys) => this.member(keys));
    else if (this.char === "[") this.list("]", () => this.value());
    else if (this.char === '"') this.string();
    else if (/[-0-9]/.test(this.char)) this.number();
    else {
      const word = { t: "true", f: "false", n: "null" }[this.char] ?? this.fail();
      for (const letter of word) this.expect(new RegExp(letter));
    }
  }

  list(closing, readOne) {
    const keys = new Set();
    this.deepest = Math.max(this.deepest, ++this.depth);
    this.at++;
    this.space();
    if (this.char !== closing) {
      for (;;) {
        readOne(keys);
        this.space();
        if (this.char === closing) break;
        this.expect(/,/);
        this.space();
      }
    }
    if (keys.repeated) this.refusals.push("duplicate_key");
    this.at++;
    this.depth--;
  }

  member(keys) {
    if (this.char !== '"') this.fail();
    const key = this.string();
    if (keys.has(key)) keys.repeated = true;
    keys.add(key);
    this.space();
    this.expect(/:/);
    this.space();
    this.value();
  }

  string() {
    const start = this.at++;
    while (this.char !== '"') {
      if (this.char === "\\") this.escape();
      else if (this.byte >= 0x80) this.sequence();
      else this.expect(/[^\x00-\x1f]/);
    }
    this.at++;
    const text = JSON.parse(Buffer.from(this.bytes.subarray(start, this.at)).toString("utf8"));
    if (!text.isWellFormed()) this.refusals.push("lone_surrogate");
    return text.toWellFormed();
  }

  escape() {
    this.at++;
    const isUnicode = this.char === "u";
    this.expect(/["\\/bfnrtu]/);
    for (let i = 0; isUnicode && i < 4; i++) this.expect(/[0-9a-fA-F]/);
  }

  // Some byte of the sequence is wrong where no way of going on makes it decodable.
  sequence() {
    const tails = [
      [0x80],
      [0xbf],
      [0x80, 0x80],
      [0xbf, 0xbf],
      [0x80, 0x80, 0x80],
      [0xbf, 0xbf, 0xbf],
    ];
    const decodes = (bytes) => {
      try {
        const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
        return [...text].length === 1;
      } catch {
        return false;
      }
    };
    for (let size = 1; ; size++) {
      const bytes = [...this.bytes.subarray(this.at, this.at + size)];
      const isWhole = bytes.length === size;
      if (isWhole && decodes(bytes)) {
        this.at += size;
        return;
      }
      if (!isWhole || !tails.some((tail) => decodes([...bytes, ...tail]))) {
        this.at += size - 1;
        this.fail();
      }
    }
  }

  number() {
    const start = this.at;
    const digits = () => {
      this.expect(/[0-9]/);
      while (/[0-9]/.test(this.char)) this.at++;
    };
    if (this.char === "-") this.at++;
    if (this.char === "0") this.at++;
    else digits();
    if (this.char === ".") {
      this.at++;
      digits();
    }
    if (/[eE]/.test(this.char)) {
      this.at++;
      if (/[-+]/.test(this.char)) this.at++;
      digits();
    }
    const token = Buffer.from(this.bytes.subarray(start, this.at)).toString("latin1");
    if (/[.eE]/.test(token) && !Number.isFinite(Number(token))) this.refusals.push("not_finite");
  }
}

// Integers travel as strings with a mark that no input has, and lose their quotes at the end.
function canonicalText(text) {
  const mark = "integer-9c1e55d2:";
  const value = parse(text.replace(/^\ufeff/, ""), null, {
    parseNumber: (token) =>
      /^-?[0-9]+$/.test(token) ? mark + (token === "-0" ? "0" : token) : Number(token),
  });
  return canonicalize(value).replaceAll(new RegExp(`"${mark}(-?[0-9]+)"`, "g"), "$1");
}

function expected(bytes) {
  const scanner = new Scanner(bytes);
  try {
    scanner.document();
  } catch (error) {
    if (error instanceof Bad) return { ok: false, syntax: error.offset };
    throw error;
  }
  if (scanner.deepest > 128) return { ok: false, refused: "too_deep" };
  if (scanner.refusals.length > 0) return { ok: false, refused: scanner.refusals[0] };
  const canonical = canonicalText(Buffer.from(bytes).toString("utf8"));
  if (Buffer.byteLength(canonical) > limitBytes) return { ok: false, refused: "too_large" };
  return { ok: true, canonical, hash: createHash("sha256").update(canonical).digest("hex") };
}

function agree(texts) {
  const all = texts.map((text) => Buffer.from(text));
  const answers = answerAll(all);
  assert.equal(answers.length, all.length);
  all.forEach((bytes, i) => {
    const shown =
      bytes.length < 2000 ? JSON.stringify(bytes.toString("latin1")) : `${bytes.length} bytes`;
    assert.deepEqual(answers[i], expected(bytes), `SEED=${seed}, input ${i} (latin1): ${shown}`);
  });
}

// --- what is tried -------------------------------------------------------------------------------------------------

const spaces = fc.constantFrom("", "", "", " ", "\n", "\r\n  ", "\t");
const digits = (min, max) =>
  fc
    .array(fc.constantFrom(..."0123456789"), { minLength: min, maxLength: max })
    .map((d) => d.join(""));
const integerToken = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom("0", "-0", "9007199254740993", "-18446744073709551616"),
  digits(1, 60).map((d) => d.replace(/^0+(?=.)/, "")),
);
const numberToken = fc.oneof(
  integerToken,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((d) => JSON.stringify(d)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((d) => d.toExponential(18)),
  fc.double({ min: -1000, max: 1000, noNaN: true }).map((d) => d.toFixed(6)),
  fc
    .tuple(
      integerToken,
      fc.oneof(digits(1, 25), digits(1, 400)),
      fc.constantFrom("", "e", "E+", "e-"),
      digits(1, 3),
    )
    .map(([whole, part, e, power]) => `${whole}.${part}${e}${e && power}`),
  fc
    .tuple(integerToken, fc.constantFrom("e", "E", "e-", "E+"), digits(1, 4))
    .map((parts) => parts.join("")),
);
const stringToken = fc.oneof(
  fc.string({ maxLength: 40 }).map((s) => JSON.stringify(s)),
  fc.string({ unit: "binary", maxLength: 30 }).map((s) => JSON.stringify(s)),
  fc.string({ unit: "binary", maxLength: 12 }).map((s) => {
    const units = Array.from({ length: s.length }, (_, i) =>
      s.charCodeAt(i).toString(16).padStart(4, "0"),
    );
    return `"${units.map((unit, i) => `\\u${i % 2 ? unit : unit.toUpperCase()}`).join("")}"`;
  }),
  fc.constantFrom(
    '"\\/"',
    '"\\u001f\\u001F\\u000a\\u0008\\b\\f\\u007f"',
    '"\\ud83d\\ude00"',
    '"€\\u20ac"',
  ),
  fc.constantFrom('"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\u0041"', '"x\\uDFFF"'),
);
const keyToken = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom("id", "name", "price", "address", "a", "b", "A", "")
      .map((k) => `"${k}"`),
  },
  { weight: 2, arbitrary: stringToken },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '"\\ue000"',
      '"\\ud83d\\ude00"',
      '"\uf8ff"',
      '"😀"',
      '"__proto__"',
      '"toJSON"',
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .string({ minLength: 8, maxLength: 20, unit: fc.constantFrom("a", "b", "\n", '"', "é") })
      .map((s) => JSON.stringify(s)),
  },
);
const { value: anyText } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(numberToken, stringToken, fc.constantFrom("true", "false", "null")),
    tie("list"),
    tie("object"),
  ),
  list: fc
    .tuple(spaces, fc.array(tie("value"), { maxLength: 5 }))
    .map(([s, v]) => `[${s}${v.join(`${s},${s}`)}${s}]`),
  object: fc
    .tuple(spaces, fc.array(fc.tuple(keyToken, tie("value")), { maxLength: 6 }))
    .map(([s, m]) => `{${s}${m.map(([k, v]) => `${k}${s}:${s}${v}`).join(`${s},${s}`)}${s}}`),
}));
const mutatedBytes = fc
  .tuple(
    anyText,
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(3)), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([text, edits]) => {
    let bytes = [...Buffer.from(text)];
    for (const [place, byte, kind] of edits) {
      const at = place % (bytes.length + 1);
      if (kind === 0) bytes.splice(at, 1);
      else if (kind === 1) bytes.splice(at, 0, byte);
      else if (kind === 2) bytes[at] = byte;
      else bytes = bytes.slice(0, at);
    }
    return Buffer.from(bytes);
  });

test("objects as imports bring them come out as RFC 8785 asks, with their hash", () => {
  const property = fc.record(
    {
      external_id: fc.string(),
      title: fc.string({ unit: "grapheme" }),
      price: fc.double({ noNaN: true, noDefaultInfinity: true }),
      rooms: fc.integer(),
      address: fc.record({
        city: fc.string(),
        at: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true })),
      }),
      tags: fc.array(fc.string()),
      extra: fc.jsonValue(),
    },
    { requiredKeys: ["external_id"] },
  );
  agree(sample(property, 2000).map((value) => JSON.stringify(value)));
});

test("any text of JSON, with nasty keys, escapes, numbers and spaces, is treated alike", () => {
  agree(sample(anyText, 6000));
});

test("numbers are printed as ECMAScript prints them, integers digit for digit", () => {
  const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((b) => {
    const value = new Float64Array(new BigUint64Array([b]).buffer)[0];
    return Number.isFinite(value) ? value : 1;
  });
  const near = [];
  for (let power = -1074; power < 1024; power++) {
    const value = 2 ** power;
    near.push(String(value), value.toExponential(20), (value * 3).toExponential(16));
  }
  for (let power = -330; power < 312; power++) {
    near.push(
      `1e${power}`,
      `9.5e${power}`,
      `123456789012345e${power}`,
      `9007199254740993e${power}`,
    );
    near.push(`1.${"0".repeat(20)}1e${power}`, `0.${"0".repeat(30)}7e${power}`);
  }
  const many = sample(bits, 4000).flatMap((value) => [
    String(value),
    value.toExponential(20),
    value.toPrecision(17),
  ]);
  const middles = [
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "4.9e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "2.2250738585072011e-308",
    "0.1e1",
    "-0.0",
    "0e400",
    "1E400",
    `1${"0".repeat(400)}`,
    `1${"0".repeat(400)}.0`,
    `0.${"0".repeat(400)}1e401`,
    "9007199254740992.5",
    "9007199254740993.0",
    "1e21",
    "1e-7",
    "0.000001",
    `2.2250738585072012${"0".repeat(900)}1e-308`,
    `9007199254740993.${"0".repeat(900)}1`,
    "1e99999999999999999999",
    "1e-99999999999999999999",
  ];
  agree([...near, ...many, ...middles, ...sample(numberToken, 4000)].map((token) => `[${token}]`));
});

test("damaged bytes are refused at the first byte that cannot go on", () => {
  agree(sample(mutatedBytes, 8000));
});

test("every prefix of a text is cut off at its end", () => {
  const text = Buffer.from('{"a":[1,-2.5e+3,"x\\u00e9\\n€😀",true,false,null,{}],"b":{"c":[]}}');
  agree(Array.from({ length: text.length }, (_, size) => text.subarray(0, size)));
});

test("limits of depth and size hold where they say, not before", () => {
  const nested = (depth, inner) => "[".repeat(depth) + inner + "]".repeat(depth);
  const objects = (depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  agree([
    nested(128, ""),
    nested(129, ""),
    nested(128, "1"),
    nested(129, "1"),
    nested(1500, ""),
    objects(128),
    objects(129),
    nested(129, "").slice(0, -1),
    `${nested(129, "")}]`,
    `"${"x".repeat(limitBytes - 2)}"`,
    `"${"x".repeat(limitBytes - 1)}"`,
    `["${"x".repeat(limitBytes)}", }`,
    `[${" ".repeat(limitBytes)}1]`,
    `[${Array(limitBytes / 16 - 1)
      .fill("123456789012345")
      .join(",")}]`,
    `[${Array(limitBytes / 16)
      .fill("123456789012345")
      .join(",")}]`,
    `{${Array.from({ length: 20000 }, (_, i) => `"k${(i * 7919) % 20000}":${i}`).join(",")}}`,
  ]);
});

test("objects of one list may leave out, swap, add and repeat members", () => {
  const keys = [
    "id",
    "title",
    "description_of_the_property",
    "price",
    "city",
    "zip",
    "é",
    "a\n",
    "😀",
    "\uffff",
  ];
  const objects = sample(fc.array(fc.subarray(keys, { minLength: 1 }), { maxLength: 12 }), 500).map(
    (list) =>
      list.map(
        (names, i) =>
          `{${names.map((name) => `${JSON.stringify(name)}:{"b":${i},"a":[{"y":1,"x":2}]}`).join(",")}}`,
      ),
  );
  agree(objects.map((list) => `[${list.join(",")}]`));
  const repeated = sample(fc.array(fc.constantFrom(...keys), { minLength: 1, maxLength: 80 }), 500);
  agree(
    repeated.map(
      (names) =>
        `[{"id":1,"title":2},{${names.map((name) => `${JSON.stringify(name)}:1`).join(",")}}]`,
    ),
  );
});
