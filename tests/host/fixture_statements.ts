// The statements that scripts for the fixture core (fixture.cc) name, in a table like the product's.

import type { StatementTable } from "../../host/shared/store/store.ts";

const texts = [
  "SELECT 1",
  "SELECT ?1 AS a, CAST(?2 AS INTEGER) AS b, ?3 AS c, ?4 AS d",
  "SELECT NULL AS a, 9007199254740991 AS b, -5 AS c, 2.5 AS d, 'hä€😀' AS e, '' AS f, -1e300 AS g",
  "CREATE TABLE counted (n INTEGER)",
  "INSERT INTO counted VALUES (1), (2)",
  "SELECT n FROM counted",
  "CREATE TABLE guard (source_changed INTEGER NOT NULL)",
  "CREATE TABLE t (a TEXT UNIQUE, b INTEGER, c INTEGER, UNIQUE (b, c))",
  "INSERT INTO t VALUES ('x', 1, 1)",
  "INSERT INTO t VALUES ('x', 2, 2)",
  "INSERT INTO t VALUES ('y', 1, 1)",
  "INSERT INTO guard (source_changed) SELECT NULL",
  "INSERT INTO nowhere VALUES (1)",
  "INSERT INTO t VALUES (",
  "INSERT INTO t (a, nosuch) VALUES (1, 2)",
  "SELECT * FROM t",
  "CREATE TABLE woken (head TEXT)",
  "INSERT INTO woken VALUES (?1)",
  "CREATE TABLE behind (head TEXT)",
  "INSERT INTO behind VALUES (?1)",
  "SELECT count(*) AS n FROM behind",
  "SELECT json_group_array(json(head)) AS heads FROM woken WHERE json_extract(head, '$.scheduled_time') = ?1",
] as const;

export type FixtureText = (typeof texts)[number];

/** As fixture.cc says of itself. */
export const fixtureTable: StatementTable = {
  dialect: "sqlite",
  fingerprint: "fixture",
  statements: texts.map((text) => ({ name: text, text })),
};

export function numberOf(text: FixtureText): number {
  return texts.indexOf(text);
}
