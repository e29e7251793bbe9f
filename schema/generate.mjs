// Makes what the build needs of the queries (queries.mjs), in the folder that is given:
//
//   queries.h, queries.cc     a function for each query, which gives a Statement: a number and parameters
//   statements_sqlite.cc      the texts by number, for native programs; the WebAssembly module has none
//   statements.<dialect>.json the same, for hosts, with which parameter of each the tenant is, and what a host says to a
//                             connection and at the beginning of a tenant's batch
//
// `queries.cc` and the tables carry one fingerprint, so that a number never means another statement than its table's.
//
//   node schema/generate.mjs <folder>
//   node schema/generate.mjs --lacking <dialect>    names of the queries that the dialect cannot run yet
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decisionHeader } from "./decisions.mjs";
import {
  dialects,
  fingerprintOf,
  idTypes,
  lacking,
  readHostTexts,
  readQueries,
} from "./queries.mjs";

const made = "// Made by schema/generate.mjs from schema/queries/*.sql.\n";
const columnTypes = { int: "int64_t", text: "std::string_view" };
const cppTypes = { int: "int64_t", text: "std::string", pack: "Pack" };

function declaration(query) {
  const params = query.params.map(({ name, type, nullable }) => {
    const cpp = cppTypes[type] ?? type;
    return `${nullable ? `std::optional<${cpp}>` : cpp} ${name}`;
  });
  const variant =
    {
      connector: ["Connector connector"],
      scope: ["Scope scope"],
      numbering: ["Numbering numbering"],
    }[query.variant] ?? [];
  return `Statement ${query.name}(${[...variant, ...params].join(", ")})`;
}

function definition({ query, number }) {
  const chosen = {
    connector: `connector == Connector::source ? ${number}u : ${number + 1}u`,
    scope: `scope == Scope::all ? ${number}u : ${number + 1}u`,
    numbering: `numbering == Numbering::dense ? ${number}u : ${number + 1}u`,
  }[query.variant];
  const fill = query.params.map(({ name, type, nullable }) => {
    const value = (expression) =>
      idTypes.includes(type) ? `${expression}.value` : `std::move(${expression})`;
    const param = nullable
      ? `${name} ? Param(${value(`(*${name})`)}) : Param(nullptr)`
      : `Param(${value(name)})`;
    return `  statement.params.push_back(${param});\n`;
  });
  const reserve = fill.length === 0 ? "" : `  statement.params.reserve(${fill.length});\n`;
  return `${declaration(query)} {
  Statement statement{${chosen ?? number}, {}};
${reserve}${fill.join("")}  return statement;
}
`;
}

/** Each query once, with the number of its only statement, or of its first variant's. */
function numbered(statements) {
  return statements
    .map((query, number) => ({ query, number }))
    .filter(({ query, number }) => statements[number - 1]?.name !== query.name);
}

/** The rows that queries give, each once, with the numbers of the statements that give it. */
function rowsOf(statements) {
  const rows = new Map();
  for (const [number, { row }] of statements.entries()) {
    if (row === undefined) continue;
    if (!rows.has(row.name)) rows.set(row.name, { row, numbers: [] });
    rows.get(row.name).numbers.push(number);
  }
  return [...rows.values()];
}

function structName({ name }) {
  const camel = name.replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase());
  return camel.endsWith("Row") ? camel : `${camel}Row`;
}

function structOf({ row }) {
  const members = row.columns.map(({ name, type, nullable }) => {
    const cpp = columnTypes[type] ?? type;
    if (nullable) return `  std::optional<${cpp}> ${name};\n`;
    return `  ${cpp} ${name}${type === "int" ? " = 0" : ""};\n`;
  });
  return `${row.comment.map((line) => `// ${line}\n`).join("")}struct ${structName(row)} {
${members.join("")}
  static constexpr size_t kColumns = ${row.columns.length};
  static bool belongs_to(uint32_t statement);
  void read(CellReader& cells);
};
`;
}

function readerOf({ row, numbers }) {
  const reads = row.columns.map(({ name, type, nullable }) => {
    const cell = `cells.${nullable ? "maybe_" : ""}${type === "text" ? "text" : "integer"}()`;
    if (!idTypes.includes(type)) return `  ${name} = ${cell};\n`;
    if (!nullable) return `  ${name} = {${cell}};\n`;
    return `  ${name}.reset();\n  if (auto id = ${cell}) ${name} = ${type}{*id};\n`;
  });
  const known = numbers.map((number) => `statement == ${number}`).join(" || ");
  return `bool ${structName(row)}::belongs_to(uint32_t statement) { return ${known}; }

void ${structName(row)}::read(CellReader& cells) {
${reads.join("")}}
`;
}

function header(queries, rows) {
  const functions = queries.map(
    ({ query }) =>
      `${query.comment.map((line) => `// ${line}\n`).join("")}${declaration(query)};\n`,
  );
  return `${made}#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/effect.h"
#include "core/base/ids.h"
#include "core/store/rows.h"

namespace sm::store {

// Of all statements: a table with another one holds other texts under these numbers.
std::string_view statements_fingerprint();

${rows.map(structOf).join("\n")}
${functions.join("\n")}
}  // namespace sm::store
`;
}

function source(queries, rows, fingerprint) {
  return `${made}#include "store/queries.h"

namespace sm::store {

std::string_view statements_fingerprint() {
  return "${fingerprint}";
}

${rows.map(readerOf).join("\n")}
${queries.map(definition).join("\n")}
}  // namespace sm::store
`;
}

function nativeTable(dialect, statements, fingerprint) {
  const texts = statements.map(
    (query) => `    {"${labelOf(query)}", R"sql(${query.texts[dialect]})sql"},\n`,
  );
  const name = dialect[0].toUpperCase() + dialect.slice(1);
  return `${made}#include "core/store/statement_table.h"

namespace sm::store {
namespace {

constexpr StatementText kTexts[] = {
${texts.join("")}};

}  // namespace

const StatementTable k${name}Statements{
    "${fingerprint}", kTexts};

}  // namespace sm::store
`;
}

function hostTable(dialect, statements, fingerprint) {
  const texts = statements.map((query) => ({
    name: labelOf(query),
    tenant: query.params.findIndex(({ name }) => name === "tenant_id"),
    text: query.texts[dialect],
  }));
  const table = { dialect, fingerprint, ...readHostTexts(dialect), statements: texts };
  return `${JSON.stringify(table, null, 1)}\n`;
}

function labelOf({ name, word }) {
  return word === undefined ? name : `${name} (${word})`;
}

function generate(folder, statements) {
  const queries = numbered(statements);
  const rows = rowsOf(statements);
  const fingerprint = fingerprintOf(statements);
  const files = {
    "queries.h": header(queries, rows),
    "queries.cc": source(queries, rows, fingerprint),
    "statements_sqlite.cc": nativeTable("sqlite", statements, fingerprint),
  };
  for (const dialect of dialects) {
    const missing = lacking(statements, dialect);
    if (missing.length > 0) throw new Error(`no ${dialect} text: ${missing.join(", ")}`);
    files[`statements.${dialect}.json`] = hostTable(dialect, statements, fingerprint);
  }
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeIfOther(join(folder, name), text);
  mkdirSync(join(folder, "../sync"), { recursive: true });
  writeIfOther(join(folder, "../sync/classes.h"), decisionHeader());
}

/** What stays as it is keeps its time, so that a text that changes compiles nothing that does not hold it. */
function writeIfOther(path, text) {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, dialect] = process.argv.slice(2);
  const statements = readQueries();
  if (what === "--lacking") console.log(lacking(statements, dialect).join("\n"));
  else generate(what, statements);
}
