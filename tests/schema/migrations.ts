// Migrations as single statements, for those who apply them without wrangler.

/** No text in our schemas holds `--` or `;`, and a trigger has one statement, behind which stands END. */
export function statementsOf(sql: string): string[] {
  return sql
    .replaceAll(/--.*$/gm, "")
    .split(/;(?!\s*END\b)/)
    .map((statement) => statement.replaceAll(/\s+/g, " ").trim())
    .filter((statement) => statement !== "");
}
