// Which tables and indexes a statement reads from end to end, told by the program that SQLite makes
// of it (`EXPLAIN`). The program names what it opens by the root page, so neither aliases, nor
// subqueries, nor what a cascade or an automatic index reads can hide a scan; `EXPLAIN QUERY PLAN`
// shows aliases alone.

import type { DatabaseSync } from "node:sqlite";

interface Operation {
  readonly addr: number;
  readonly opcode: string;
  readonly p1: number;
  readonly p2: number;
}

/** Names of tables and indexes. A walk that begins at an end and stops at a bound is no scan. */
export function scansOf(db: DatabaseSync, sql: string): string[] {
  const names = new Map(
    db
      .prepare("SELECT rootpage, name FROM sqlite_schema WHERE rootpage > 0")
      .all()
      .map((row) => [Number(row["rootpage"]), String(row["name"])]),
  );
  const operations = db.prepare(`EXPLAIN ${sql}`).all() as unknown as Operation[];
  return [...new Set(programsOf(operations).flatMap((program) => scansIn(program, names)))];
}

/** A cascade is a program of its own behind the main one: its addresses and cursors begin anew. */
function programsOf(operations: readonly Operation[]): Operation[][] {
  const programs: Operation[][] = [];
  for (const operation of operations) {
    if (operation.addr === 0) programs.push([]);
    programs.at(-1)?.push(operation);
  }
  return programs;
}

function scansIn(program: readonly Operation[], names: ReadonlyMap<number, string>): string[] {
  const opened = new Map<number, string>();
  for (const { opcode, p1, p2 } of program) {
    const name = names.get(p2);
    if (/^(OpenRead|OpenWrite|ReopenIdx)$/.test(opcode) && name !== undefined) opened.set(p1, name);
  }
  const found: string[] = [];
  for (const operation of program) {
    const name = opened.get(operation.p1);
    if (name !== undefined && isScan(operation, program)) found.push(name);
  }
  return found;
}

function isScan({ opcode, addr, p1 }: Operation, program: readonly Operation[]): boolean {
  if (opcode === "Count") return true;
  if (opcode !== "Rewind" && opcode !== "Last") return false;
  const step = program.find(
    (other) => other.addr > addr && other.p1 === p1 && /^(Next|Prev)$/.test(other.opcode),
  );
  // Without a step it is the first or last entry alone.
  if (step === undefined) return false;
  const bounds = program.filter(
    (other) => other.p1 === p1 && other.addr > addr && other.addr < step.addr,
  );
  return !bounds.some((other) => /^Idx(GT|GE|LT|LE)$/.test(other.opcode));
}
