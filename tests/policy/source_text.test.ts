// The reader of source texts, on texts made for it: a rule that sees nothing would pass always.
import assert from "node:assert/strict";
import { test } from "node:test";
import { functionsIn, readSource } from "./source_text.ts";

function linesOf(text: string, language: "cpp" | "ts"): number[] {
  return functionsIn(readSource(text, language).code).map(({ lines }) => lines);
}

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

test("source text: a function of C++ is measured from its declaration to its last brace", () => {
  const text = `namespace sm {
struct A {
  A(int a)
      : a_(a) {
    b();
  }
  bool operator()(int a) const noexcept { return a > 0; }
  int a_ = 0;
};
constexpr B kTable[] = {
    {1, [](int x) { return x; }},
};
Task<Result<int>> f(int a,
                    int b) {
  for (int i = 0; i < a; ++i) {
    if (b) {
      g([&] { h(); });
    }
  }
}
}`;
  assert.deepEqual(linesOf(text, "cpp"), [4, 1, 2, 8]);
});

test("source text: a function of TypeScript is measured from its declaration to its last brace", () => {
  const text = `type A = { readonly a: number; readonly b: () => void };
class B {
  private c: () => void = () => {};
  constructor() {
    this.c();
  }
}
function d(): { e: number; f: number } {
  return { e: 1, f: 2 };
}
export default {
  g(h): Promise<void> {
    for (const i of h) {
      j(i);
    }
  },
};`;
  assert.deepEqual(linesOf(text, "ts"), [1, 3, 3, 6]);
});
