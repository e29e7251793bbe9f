// The decision table of a sync, core/sync/classes.json, as text of statements and as a table in C++. What the table's
// words mean is said in ../core/sync/README.md; the facts of `when` are the fragments `fact_…` of queries/sync.sql.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const file = join(dirname(fileURLToPath(import.meta.url)), "../core/sync/classes.json");
const kCounts = ["created", "updated", "warnings", "conflicts", "removed"];
const kWrites = ["mark", "settle", "take", "create", "revive", "remove"];
const kActions = ["create", "update", "warn", "conflict", "remove"];

/** `{warnings: {name: text}, classes: [{name, means, when, write, makes, counts, action}]}`, in the table's order. */
export function readDecisions() {
  const { warnings, classes } = JSON.parse(readFileSync(file, "utf8"));
  return {
    warnings,
    classes: classes.map(({ name, means, when, write, makes, counts, action }) => ({
      name,
      means,
      when,
      write: oneOf(kWrites, write),
      makes: makes ?? {},
      counts: (counts ?? []).map((count) => oneOf(kCounts, count)),
      action: oneOf(kActions, action),
    })),
  };
}

function oneOf(words, word) {
  if (word !== undefined && !words.includes(word))
    throw new Error(`no such word in the table: ${word}`);
  return word;
}

const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

// What a class makes of a column: where the row differs from that, and what it is to be. `c` is a row of `classed`.
const kMakes = {
  owner: {
    this: {
      differs: "t.source_id IS DISTINCT FROM :source_id",
      becomes: ":source_id",
      property: "property_id",
    },
  },
  contest: {
    none: { differs: "{{contested}}", becomes: "NULL" },
    kept: { differs: "{{contest_over}}", becomes: "contest" },
    this: {
      differs: "NOT {{contested}} OR (t.contested_by <> :source_id AND {{contest_over}})",
      becomes: "coalesce(contest, :source_id)",
    },
  },
  base: {
    data: { differs: "t.data_id <> t.base_data_id OR t.accepted = 1 OR t.has_manual_changes = 1" },
  },
};

function made(column, value, warnings) {
  if (column === "warning" && value === "none")
    return { differs: "t.manual_changes_warning IS NOT NULL", becomes: "NULL" };
  if (column === "warning" && value in warnings) {
    const text = quoted(warnings[value]);
    return { differs: `t.manual_changes_warning IS DISTINCT FROM ${text}`, becomes: text };
  }
  if (column === "status")
    return { differs: `t.sync_status <> ${quoted(value)}`, becomes: quoted(value) };
  const known = kMakes[column]?.[value];
  if (known === undefined) throw new Error(`no such word in the table: ${column} ${value}`);
  return known;
}

/**
 * Fragments for queries/sync.sql, by name. A row that is already as its class makes it is counted under the class's name
 * with ` said` behind it, or has no class where the class counts nothing.
 */
export function decisionFragments({ warnings, classes } = readDecisions()) {
  const leaf = ({ name, write, makes, counts }) => {
    const differs = Object.entries(makes).map(
      ([column, value]) => made(column, value, warnings).differs,
    );
    if (write === undefined) return "NULL";
    if (differs.length === 0) return quoted(name);
    const said = counts.length === 0 ? "" : ` ELSE ${quoted(`${name} said`)}`;
    return `CASE WHEN ${differs.join(" OR ")} THEN ${quoted(name)}${said} END`;
  };
  const lines = classes.map((each) => ({ facts: each.when, value: leaf(each) }));
  const marked = classes.filter(({ write }) => write === "mark");
  const becomes = (column, otherwise, part = "becomes") => {
    const cases = marked
      .filter(({ makes }) => column in makes)
      .map(
        ({ name, makes }) =>
          `WHEN ${quoted(name)} THEN ${made(column, makes[column], warnings)[part]}`,
      );
    return `CASE class ${cases.join(" ")} ELSE ${otherwise} END`;
  };
  const named = (chosen) => chosen.map(({ name }) => quoted(name)).join(", ");
  const counted = kCounts.map((count) => {
    const names = classes
      .filter(({ counts }) => counts.includes(count))
      .flatMap(({ name, makes }) =>
        Object.keys(makes).length === 0 ? [name] : [name, `${name} said`],
      );
    return `count(*) FILTER (WHERE class IN (${names.map(quoted).join(", ")})) AS ${count}`;
  });
  return new Map([
    ["class_of", decision(lines)],
    ["class_counts", counted.join(", ")],
    ["marked_classes", named(marked)],
    ["marked_owner", becomes("owner", "row_source_id")],
    ["marked_property", becomes("owner", "row_property_id", "property")],
    ["marked_contest", becomes("contest", "contested_by")],
    ["marked_warning", becomes("warning", "manual_changes_warning")],
    ["marked_status", becomes("status", "sync_status")],
  ]);
}

// The first line that fits. Lines that begin with the same fact are asked for it once, where the last of them asks for
// nothing else: then no later line could fit such a row.
function decision(lines) {
  const parts = [];
  for (let at = 0; at < lines.length; ) {
    const [fact] = lines[at].facts;
    if (fact === undefined) return `CASE ${parts.join(" ")} ELSE ${lines[at].value} END`;
    let end = at + 1;
    while (end < lines.length && lines[end].facts[0] === fact) end++;
    const group = lines
      .slice(at, end)
      .map(({ facts, value }) => ({ facts: facts.slice(1), value }));
    const whole = group.length > 1 && group.at(-1).facts.length === 0;
    const value = whole ? decision(group) : lines[at].value;
    const facts = whole ? [fact] : lines[at].facts;
    parts.push(`WHEN ${facts.map((each) => `({{fact_${each}}})`).join(" AND ")} THEN ${value}`);
    at = whole ? end : at + 1;
  }
  throw new Error("the last line of the table must fit every row");
}

/** sync/classes.h. */
export function decisionHeader({ warnings, classes } = readDecisions()) {
  const pascal = (word) => word[0].toUpperCase() + word.slice(1);
  const list = (words) => words.join(", ");
  const rows = classes.map(({ name, write, counts, action, makes }) => {
    const each = kCounts.filter((count) => counts.includes(count)).map((count) => `.${count} = 1`);
    const warning = makes.warning in warnings ? `k${pascal(makes.warning)}Warning` : '""';
    return `    {Class::${name}, "${name}", RowWrite::${write ?? "nothing"}, {${list(each)}}, "${action ?? ""}", ${warning}},`;
  });
  return `// Made by schema/decisions.mjs from core/sync/classes.json.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sm::sync {

// In the order of the table: the first line that fits a row is its class.
enum class Class {
${classes.map(({ name, means }) => `  ${name},  // ${means}`).join("\n")}
};
inline constexpr size_t kClasses = ${classes.length};

// What is written for the rows of a class.
enum class RowWrite { nothing, ${list(kWrites)} };

// What a row of a class adds to the stats of a sync.
struct Counted {
${kCounts.map((count) => `  int64_t ${count} = 0;`).join("\n")}
};

${Object.entries(warnings)
  .map(
    ([name, text]) =>
      `inline constexpr std::string_view k${pascal(name)}Warning =\n    ${JSON.stringify(text)};`,
  )
  .join("\n")}

struct ClassLine {
  Class of;
  std::string_view name;
  RowWrite write;
  Counted each;
  std::string_view action;   // what a dry run calls it; empty where it is not told
  std::string_view warning;  // what the row says then; empty where the class sets none
};

inline constexpr std::array<ClassLine, kClasses> kTable = {{
${rows.join("\n")}
}};

}  // namespace sm::sync
`;
}
