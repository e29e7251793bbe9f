// Finds calls of coroutines that break the rule of core/base/task.h: one that takes a reference or a
// view is awaited where it is called, so that the frame which owns what it is given waits meanwhile.

export interface CoroutineSource {
  readonly file: string;
  /** Without comments and literals (source_text.ts). */
  readonly code: string;
}

/** Up to the end of the parameters; clang-format leaves no other form. */
const kCoroutine = /\b(?:Task<[^;{}()]*>|Answered)\s+(\w+)\(([^;{}]*?)\)\s*[;{]/g;
/** The host outlives all of its coroutines. */
const kHost = /^(?:Invocation|TaskHost)\s*&/;

/** The names of coroutines that are given what they do not own. */
export function borrowers(code: string): Set<string> {
  const names = new Set<string>();
  for (const [, name = "", parameters = ""] of code.matchAll(kCoroutine)) {
    const borrowed = parameters
      .split(",")
      .map((parameter) => parameter.trim())
      .filter((parameter) => /&|\bstring_view\b|\bspan\b/.test(parameter));
    if (borrowed.some((parameter) => !kHost.test(parameter))) names.add(name);
  }
  return names;
}

/**
 * The calls that are not awaited at once. A plain function may hand on the task of a borrower when
 * it is given what that borrows, that is, when it is one itself. Names of a file's own are looked
 * for in that file, those of headers everywhere.
 */
export function unawaitedCalls(sources: readonly CoroutineSource[]): string[] {
  const shared = new Set(
    sources.filter(({ file }) => file.endsWith(".h")).flatMap(({ code }) => [...borrowers(code)]),
  );
  return sources.flatMap(({ file, code }) => {
    const names = new Set([...shared, ...borrowers(code)]);
    const calls = [...code.matchAll(/(?<![.>\w]|(?<!\bflow)::)(?:flow::)?(\w+)\(/g)];
    return calls
      .filter(({ 1: name = "", index }) => names.has(name) && !isKept(code, index, names))
      .map(({ 1: name, index }) => `${file}:${code.slice(0, index).split("\n").length} ${name}`);
  });
}

function isKept(code: string, at: number, names: ReadonlySet<string>): boolean {
  const before = code.slice(0, at).trimEnd();
  if (/\bco_await$/.test(before) || /(?:>|\bAnswered|\bvoid|\bbool)$/.test(before)) return true;
  if (!/(?:\breturn|[?:])$/.test(before)) return false;
  // Definitions begin in the first column.
  const heads = [...before.matchAll(/^[A-Za-z][^\n;]*?\b(\w+)\(/gm)];
  return names.has(heads.at(-1)?.[1] ?? "");
}
