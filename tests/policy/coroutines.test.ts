import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { borrowers, unawaitedCalls } from "./coroutines.ts";
import { readSource } from "./source_text.ts";

const root = resolve(import.meta.dirname, "../..");

test("style: a coroutine that is given what it does not own is awaited where it is called", () => {
  const sources = readdirSync(join(root, "core"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(h|cc)$/.test(name))
    .map((name) => {
      const file = join("core", name);
      return { file, code: readSource(readFileSync(join(root, file), "utf8"), "cpp").code };
    });
  const seen = sources.flatMap(({ code }) => [...borrowers(code)]);
  assert.ok(seen.length > 10, `${seen}`);
  assert.deepEqual(unawaitedCalls(sources), []);
});

test("coroutines: those that borrow are told from those that own", () => {
  const code = `
Task<Result<Unit>> owns(Invocation& in, TenantId tenant, std::string text);
Task<Result<std::vector<Row>>> refers(Invocation& in, const Work& work);
Answered views(Invocation& in, std::optional<std::string_view> key) {
}
void plain(const Work& work);`;
  assert.deepEqual([...borrowers(code)], ["refers", "views"]);
});

test("coroutines: a task that is kept, or handed on by one that owns, is found", () => {
  const code = `
Task<int> refers(Invocation& in, const Work& work);
Task<int> hands_on(Invocation& in, const Work& work) {
  return work.first ? refers(in, work) : refers(in, work);
}
Task<int> awaits(Invocation& in, Work work) {
  CO_TRY(int first, co_await refers(in, work));
  co_return co_await hands_on(in, work) + work.refers(1) + std::refers(2);
}
Task<int> keeps(Invocation& in, Work work) {
  Task<int> task = refers(in, work);
  co_return co_await std::move(task);
}
Task<int> lets_go(Invocation& in, Work work) {
  return refers(in, work);
}`;
  assert.deepEqual(unawaitedCalls([{ file: "a.cc", code }]), ["a.cc:11 refers", "a.cc:15 refers"]);
});
