// The reader of source texts, on texts made for it: a rule that sees nothing would pass always.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readSource } from "./source_text.ts";

test("source text: comments and literals are no code, and keep their lines", () => {
  const text = `a("x // {", 'y'); // z\nb /* {\n */ + /[/{"]/.test(c) / 2 / d;`;
  const { code, strings } = readSource(text, "ts");
  assert.equal(code.split("\n").length, 3);
  assert.doesNotMatch(code, /[xyz{]/);
  assert.match(code, /\/ 2 \/ d;$/);
  assert.deepEqual(strings, ["x // {", "y"]);
});

test("source text: the expressions of a template are code, also when nested", () => {
  const text = "f(`one @{g({ a: `two @{404}` })} three`, 5)".replaceAll("@", "$");
  const { code, strings } = readSource(text, "ts");
  assert.match(code, /g\({ a: `.*404.*5\)$/);
  assert.doesNotMatch(code, /one|two|three/);
  assert.deepEqual(strings, ["one ", "two ", "", " three"]);
});

test("source text: C++ has raw strings and separators of digits", () => {
  const text = `int a = 1'000; auto b = R"sql(SELECT "{")sql"; char c = '{';`;
  const { code, strings } = readSource(text, "cpp");
  assert.match(code, /1'000/);
  assert.doesNotMatch(code, /SELECT|\{/);
  assert.deepEqual(strings, ['SELECT "{"', "{"]);
});
