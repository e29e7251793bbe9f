// Reads schema/queries/*.sql: every statement of the product, with a number, typed parameters, named columns of its
// result, and a text for each dialect.
//
//   -- name: keys_page(tenant_id TenantId, after int, name text?, pack pack) -> (id int, revoked_at text?)
//   -- Comment lines that follow become the function's documentation.
//   SELECT … WHERE tenant_id = :tenant_id …;
//
// `connector`, `scope` or `numbering` as the first parameter makes two statements under one name: {connector} in the text is replaced by
// `source` or `target`, {scope} by `all` or `changed`, {numbering} by `dense` or `ranked`.
// `-- fragment: name` holds text that other queries include as {{name}}.
// The columns of a result that several queries give stand once: `-- row: name(id int, …)`, and `-> name` in a signature.
// Types: int, text, pack (a large shared text), TenantId, SourceId, TargetId, PropertyId; `?` behind one makes it nullable.
//
// A text serves all dialects, or a query or fragment has a body for each, under a line `-- sqlite:` or `-- postgres:`.
// D1 binds JavaScript numbers as REAL, so integers are cast where they are used; PostgreSQL is told every type.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decisionFragments } from "./decisions.mjs";

const here = dirname(fileURLToPath(import.meta.url));
export const dialects = ["sqlite", "postgres"];
export const idTypes = ["TenantId", "SourceId", "TargetId", "PropertyId"];
const valueTypes = ["int", "text", ...idTypes];
const variants = {
  connector: ["source", "target"],
  scope: ["all", "changed"],
  numbering: ["dense", "ranked"],
};

// What PostgreSQL does not know, as far as it shows in a text.
const sqliteAlone =
  /\b(INDEXED BY|changes\(\)|json_(each|array|object|set|group_array)\(|group_concat|sqlite_\w+)|IS (NOT )?\$/;

/**
 * All statements, each at the place of its number: `name`, `word` where it is one of two variants, `params`, `row`, whose
 * columns it gives (undefined where it gives no rows), and `texts` by dialect, undefined where a body is missing.
 */
export function readQueries(folder = join(here, "queries")) {
  const { fragments, queries } = readBlocks(folder);
  return queries.flatMap((query) =>
    (variants[query.variant] ?? [undefined]).map((word) => {
      const texts = dialects.map((dialect) => [dialect, bind(query, word, dialect, fragments)]);
      return { ...query, word, texts: Object.fromEntries(texts) };
    }),
  );
}

/** The same for two connectors that mean the same statements by their numbers. */
export function fingerprintOf(queries) {
  const meant = queries.map(({ name, word, params, row, texts }) => [
    name,
    word ?? null,
    params,
    row?.columns ?? null,
    dialects.map((dialect) => texts[dialect] ?? null),
  ]);
  return createHash("sha256").update(JSON.stringify(meant)).digest("hex");
}

/** Names of the queries that the dialect cannot run: they have no body for it, or a common one of SQLite's words. */
export function lacking(queries, dialect) {
  const names = queries
    .filter(
      ({ texts }) =>
        texts[dialect] === undefined || (dialect !== "sqlite" && sqliteAlone.test(texts[dialect])),
    )
    .map(({ name }) => name);
  return [...new Set(names)];
}

/** What a host says to each connection (`session`), and at the beginning of a tenant's batch (`begin`); empty for nothing. */
export function readHostTexts(dialect, folder = join(here, "queries")) {
  const { fragments } = readBlocks(folder);
  const text = (name, params) => {
    const bodies = fragments.get(name);
    if (bodies[dialect] === "") return "";
    return bind({ name, params, bodies }, undefined, dialect, fragments);
  };
  return {
    session: text("session", []),
    begin: text("begin", [{ name: "tenant_id", type: "TenantId" }]),
  };
}

function readBlocks(folder) {
  const blocks = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .flatMap((name) =>
      readFileSync(join(folder, name), "utf8").split(/^(?=-- (?:name|fragment|row): )/m),
    )
    .filter((block) => /^-- (name|fragment|row): /.test(block));
  const fragments = new Map(
    [...decisionFragments()].map(([name, text]) => [name, { common: text }]),
  );
  const queries = [];
  const rows = new Map();
  for (const block of blocks) {
    const [head, ...lines] = block.split("\n");
    const [, kind, rest] = /^-- (name|fragment|row): (.*)$/.exec(head);
    if (kind === "row") {
      const row = parseRow(rest.trim(), readComment(lines));
      rows.set(row.name, row);
      continue;
    }
    const bodies = readBodies(rest, lines);
    if (kind === "fragment") fragments.set(rest.trim(), bodies);
    else queries.push({ ...parseSignature(rest.trim()), comment: readComment(lines), bodies });
  }
  return { fragments, queries: queries.map((query) => ({ ...query, row: rowOf(query, rows) })) };
}

const marker = /^-- (\w+):\s*$/;

/** Texts by dialect, or one under `common`. */
function readBodies(name, lines) {
  const bodies = { common: [] };
  let current = "common";
  for (const line of lines) {
    const [, dialect] = marker.exec(line) ?? [];
    if (dialect === undefined) {
      bodies[current].push(line.replace(/--.*$/, ""));
      continue;
    }
    if (!dialects.includes(dialect)) throw new Error(`${name}: no dialect ${dialect}`);
    if (bodies[dialect] !== undefined) throw new Error(`${name}: two bodies for ${dialect}`);
    bodies[dialect] = [];
    current = dialect;
  }
  const texts = Object.entries(bodies).map(([dialect, body]) => [dialect, tidy(body)]);
  if (texts.length === 1) return Object.fromEntries(texts);
  const [[, common], ...own] = texts;
  if (common !== "") throw new Error(`${name}: text before the bodies of its dialects`);
  return Object.fromEntries(own);
}

function tidy(lines) {
  return lines
    .join(" ")
    .replace(/\s+/g, " ")
    .replace(/([(,]) | (?=\))/g, "$1")
    .replace(/;\s*$/, "")
    .trim();
}

function readComment(lines) {
  return lines
    .filter((line) => line.startsWith("-- ") && !marker.test(line))
    .map((line) => line.slice(3));
}

function parseSignature(signature) {
  const match = /^(\w+)\((.*?)\)(?: -> (?:\((.*)\)|(\w+)))?$/.exec(signature);
  if (!match) throw new Error(`not a query's signature: ${signature}`);
  const [, name, listed, results, rowName] = match;
  const parts = split(listed);
  const variant = parts[0] in variants ? parts[0] : undefined;
  const params = parts
    .slice(variant ? 1 : 0)
    .map((part) => typed(name, part, [...valueTypes, "pack"]));
  const columns = results === undefined ? undefined : columnsOf(name, results);
  return { name, variant, params, columns, rowName };
}

function parseRow(signature, comment) {
  const match = /^(\w+)\((.*)\)$/.exec(signature);
  if (!match) throw new Error(`not a row: ${signature}`);
  return { name: match[1], comment, columns: columnsOf(match[1], match[2]) };
}

function columnsOf(name, list) {
  return split(list).map((part) => typed(name, part, valueTypes));
}

/** What the query gives: a row of its own, or one that several queries give. */
function rowOf({ name, columns, rowName }, rows) {
  if (columns !== undefined) return { name, comment: [`A row of ${name}.`], columns };
  if (rowName !== undefined && !rows.has(rowName)) throw new Error(`${name}: no row ${rowName}`);
  return rows.get(rowName);
}

function split(list) {
  return list
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
}

function typed(query, part, types) {
  const [name, type] = part.split(" ");
  const base = type?.replace("?", "");
  if (!types.includes(base)) throw new Error(`${query}: unknown type in "${part}"`);
  return { name, type: base, nullable: type.endsWith("?") };
}

/** The text of one dialect with its placeholders; undefined where it, or a fragment in it, has no body. */
function bind(query, word, dialect, fragments) {
  const text = include(query.bodies, query, word, dialect, fragments);
  if (text === undefined) return undefined;
  const used = new Set();
  const hinted = dialect === "sqlite" ? text : planned(text);
  const bound = hinted.replace(/(?<!:):([a-z_]+)/g, (_, name) => {
    const index = query.params.findIndex((param) => param.name === name);
    if (index < 0) throw new Error(`${query.name}: no parameter ${name}`);
    used.add(name);
    return placeholder[dialect](index + 1, query.params[index].type);
  });
  for (const { name } of query.params) {
    // One of two scopes or numberings may have no use for a parameter that the other needs; PostgreSQL, which cannot tell the
    // type of what it does not see, wants it all the same.
    if (
      !used.has(name) &&
      ((query.variant ?? "connector") === "connector" || dialect === "postgres")
    )
      throw new Error(`${query.name}: parameter ${name} is not used`);
  }
  return bound;
}

// How a common text tells the planner what to do. `INDEXED BY` is for SQLite alone. `LIMIT -1` has a part worked out once,
// and apart from the rest: `OFFSET 0` on PostgreSQL. A join looks the table on its right up for each row on its left, by
// what stands in ON, as SQLite does for `CROSS JOIN`. PostgreSQL has to be told: a tenant's id says nothing that a source's
// does not say, which it cannot know, so it takes ten thousand rows for one, and compares each of them with each.
function planned(text) {
  const [before, table, alias = table, rest] = firstJoin(text);
  if (rest === undefined)
    return text.replace(/ INDEXED BY \w+/g, "").replace(/ LIMIT -1\b/g, " OFFSET 0");
  const end = endOfCondition(rest);
  const lookup = `LATERAL (SELECT * FROM ${table} ${alias} WHERE ${rest.slice(0, end)} OFFSET 0) ${alias} ON true`;
  return `${planned(before)}${lookup}${planned(rest.slice(end))}`;
}

/** What stands before the joined table, the table, its alias where it has one, and what stands behind ON. */
function firstJoin(text) {
  const join = /\b(CROSS|LEFT) JOIN (\w+) (?:(\w+) )?ON /.exec(text);
  if (join === null) return [text];
  const [whole, kind, table, alias] = join;
  const before = `${text.slice(0, join.index)}${kind === "LEFT" ? "LEFT JOIN" : "JOIN"} `;
  return [before, table, alias, text.slice(join.index + whole.length)];
}

/** Where the condition that a text begins with ends: at the next clause, or the bracket around it. */
function endOfCondition(text) {
  let depth = 0;
  for (const { 0: found, index } of text.matchAll(
    /[()]| (?:CROSS|LEFT) JOIN | (?:WHERE|GROUP|ORDER) /g,
  )) {
    if (found === "(") depth++;
    else if (found === ")" && depth > 0) depth--;
    else if (depth === 0) return index;
  }
  return text.length;
}

const isText = (type) => type === "text" || type === "pack";
const placeholder = {
  sqlite: (number, type) => (isText(type) ? `?${number}` : `CAST(?${number} AS INTEGER)`),
  postgres: (number, type) => `$${number}::${isText(type) ? "text" : "bigint"}`,
};

function include(bodies, query, word, dialect, fragments) {
  const text = bodies[dialect] ?? bodies.common;
  if (text === undefined) return undefined;
  let whole = true;
  const included = text
    .replaceAll(`{${query.variant}}`, word)
    .replace(/\{\{(\w+)\}\}/g, (_, name) => {
      if (!fragments.has(name)) throw new Error(`${query.name}: no fragment ${name}`);
      const part = include(fragments.get(name), query, word, dialect, fragments);
      whole &&= part !== undefined;
      return part;
    });
  return whole ? included : undefined;
}
