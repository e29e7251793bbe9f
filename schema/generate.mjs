// Turns schema/queries/*.sql into C++: one function for each named query, with typed parameters, that gives a Statement.
//
//   -- name: source_rows(side, tenant_id TenantId, after int, name text?, pack pack)
//   -- Comment lines that follow become the function's documentation.
//   SELECT … WHERE tenant_id = :tenant_id …;
//
// `side` or `scope` as the first parameter makes two queries under one name: {side} in the text is replaced by `source` or
// `target`, {scope} by `all` or `changed`.
// `-- fragment: name` holds text that other queries include as {{name}}.
// Types: int, text, pack (a large shared text), TenantId, SourceId, TargetId, PropertyId; `?` behind one makes it nullable.
// D1 binds JavaScript numbers as REAL, so integers are cast where they are used.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const cppTypes = { int: "int64_t", text: "std::string", pack: "Pack" };
const variants = { side: ["source", "target"], scope: ["all", "changed"] };
const idTypes = ["TenantId", "SourceId", "TargetId", "PropertyId"];

export function readQueries(folder = join(here, "queries")) {
  const blocks = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .flatMap((name) =>
      readFileSync(join(folder, name), "utf8").split(/^(?=-- (?:name|fragment): )/m),
    )
    .filter((block) => /^-- (name|fragment): /.test(block));
  const fragments = new Map();
  const queries = [];
  for (const block of blocks) {
    const [head, ...lines] = block.split("\n");
    const comment = lines.filter((line) => line.startsWith("-- ")).map((line) => line.slice(3));
    const text = lines
      .map((line) => line.replace(/--.*$/, ""))
      .join(" ")
      .replace(/\s+/g, " ")
      .replace(/([(,]) | (?=\))/g, "$1")
      .replace(/;\s*$/, "")
      .trim();
    const [, kind, rest] = /^-- (name|fragment): (.*)$/.exec(head);
    if (kind === "fragment") fragments.set(rest.trim(), text);
    else queries.push(parseQuery(rest.trim(), comment, text));
  }
  return queries.flatMap((query) => {
    if (!query.variant) return [bind({ ...query, text: include(query.text, fragments) })];
    return variants[query.variant].map((word) =>
      bind({ ...query, word, text: include(query.text, fragments, query.variant, word) }),
    );
  });
}

function parseQuery(signature, comment, text) {
  const match = /^(\w+)\((.*)\)$/.exec(signature);
  if (!match) throw new Error(`not a query's signature: ${signature}`);
  const listed = match[2]
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
  const variant = listed[0] in variants ? listed[0] : undefined;
  const params = listed.slice(variant ? 1 : 0).map((part) => {
    const [name, type] = part.split(" ");
    const base = type?.replace("?", "");
    if (!(base in cppTypes) && !idTypes.includes(base))
      throw new Error(`${match[1]}: unknown type in "${part}"`);
    return { name, type: base, nullable: type.endsWith("?") };
  });
  return { name: match[1], comment, variant, params, text };
}

function include(text, fragments, variant, word) {
  return text.replaceAll(`{${variant}}`, word).replace(/\{\{(\w+)\}\}/g, (_, name) => {
    if (!fragments.has(name)) throw new Error(`no fragment ${name}`);
    return include(fragments.get(name), fragments, variant, word);
  });
}

function bind(query) {
  const used = new Set();
  const sql = query.text.replace(/(?<!:):([a-z_]+)/g, (_, name) => {
    const index = query.params.findIndex((param) => param.name === name);
    if (index < 0) throw new Error(`${query.name}: no parameter ${name}`);
    used.add(name);
    const { type } = query.params[index];
    return type === "text" || type === "pack" ? `?${index + 1}` : `CAST(?${index + 1} AS INTEGER)`;
  });
  for (const { name } of query.params) {
    // One of two scopes may have no use for a parameter that the other needs.
    if (!used.has(name) && query.variant !== "scope")
      throw new Error(`${query.name}: parameter ${name} is not used`);
  }
  return { ...query, sql };
}

function declaration(query) {
  const params = query.params.map(({ name, type, nullable }) => {
    const cpp = cppTypes[type] ?? type;
    return `${nullable ? `std::optional<${cpp}>` : cpp} ${name}`;
  });
  const variant = { side: ["Side side"], scope: ["Scope scope"] }[query.variant] ?? [];
  return `Statement ${query.name}(${[...variant, ...params].join(", ")})`;
}

function definition(queries) {
  const [query] = queries;
  const literal = (text) => `R"sql(${text})sql"`;
  const first = { side: "side == Side::source", scope: "scope == Scope::all" }[query.variant];
  const text = query.variant
    ? `${first} ? std::string_view(${literal(queries[0].sql)})\n      : std::string_view(${literal(queries[1].sql)})`
    : literal(query.sql);
  const values = query.params.map(({ name, type, nullable }) => {
    const value = (expression) =>
      idTypes.includes(type) ? `${expression}.value` : `std::move(${expression})`;
    return nullable
      ? `${name} ? Param(${value(`(*${name})`)}) : Param(nullptr)`
      : `Param(${value(name)})`;
  });
  const fill = values.map((value) => `  statement.params.push_back(${value});\n`).join("");
  return `${declaration(query)} {\n  Statement statement{${text}, {}};\n${fill}  return statement;\n}\n`;
}

function generate(folder) {
  const byName = new Map();
  for (const query of readQueries())
    byName.set(query.name, [...(byName.get(query.name) ?? []), query]);
  const groups = [...byName.values()];
  const header = `// Made by schema/generate.mjs from schema/queries/*.sql.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/effect.h"
#include "core/base/ids.h"

namespace sm::store {

${groups.map(([query]) => `${query.comment.map((line) => `// ${line}\n`).join("")}${declaration(query)};\n`).join("\n")}
}  // namespace sm::store
`;
  const source = `// Made by schema/generate.mjs from schema/queries/*.sql.
#include "store/queries.h"

namespace sm::store {

${groups.map(definition).join("\n")}
}  // namespace sm::store
`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "queries.h"), header);
  writeFileSync(join(folder, "queries.cc"), source);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate(process.argv[2]);
