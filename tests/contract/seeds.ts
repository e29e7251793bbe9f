// The commands and scripts of the seed documents, taken from them as printed where they are at hand
// (`SEEDS_DIR`, else `../shared/seeds` beside the checkout). A clone without the documents makes the
// same requests in words of its own: the seeds' text is not part of this repository.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { kRoot } from "./server.ts";

const kAddress = "http://localhost:8000";
const kKeys = ["YOUR_API_KEY", "YOUR_KEY", "your_api_key_here", "your_api_key", "abc123..."];

export interface Story {
  /** Shell commands, in the order of the card. */
  readonly card: readonly string[];
  /** Those of the usage guide; null without the document. */
  readonly guide: readonly string[] | null;
  /** Python programs by the document they stand in; null without the documents. */
  readonly scripts: { readonly card: string; readonly guide: string } | null;
}

function seed(number: string): string | null {
  const directory = process.env["SEEDS_DIR"] ?? resolve(kRoot, "../shared/seeds");
  if (!existsSync(directory)) return null;
  const name = readdirSync(directory).find((file) => file.startsWith(`${number}_`));
  return name === undefined ? null : readFileSync(join(directory, name), "utf8");
}

/** The curl commands of a document, continued lines joined, a filter at the end left out. */
function curlCommands(text: string): string[] {
  const commands: string[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    if (!/^\s*curl /.test(lines[at] ?? "")) continue;
    let command = (lines[at] ?? "").trim();
    const openQuote = (): boolean => (command.match(/'/g) ?? []).length % 2 === 1;
    while (command.endsWith("\\") || openQuote()) {
      at += 1;
      const next = lines[at] ?? "";
      command = command.endsWith("\\")
        ? `${command.slice(0, -1)}${next.trim()}`
        : `${command}\n${next}`;
    }
    commands.push(command.replace(/ \| jq .*$/s, ""));
  }
  return commands;
}

function dedent(lines: readonly string[]): string {
  const used = lines.filter((line) => line.trim() !== "");
  const margin = Math.min(...used.map((line) => line.length - line.trimStart().length));
  return `${lines.map((line) => line.slice(margin)).join("\n")}\n`;
}

function between(text: string, first: RegExp, last: RegExp): string {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => first.test(line));
  const rest = lines.slice(from + 1);
  return dedent(
    rest.slice(
      0,
      rest.findIndex((line) => last.test(line)),
    ),
  );
}

function ownCard(): string[] {
  const key = "-H 'X-API-Key: YOUR_KEY'";
  const json = "-H 'Content-Type: application/json'";
  const post = (path: string, rest: string): string =>
    `curl -X POST ${kAddress}${path} ${key} ${rest}`;
  return [
    post("/sources", `${json} -d '{"name":"Properties","type":"json","config":{}}'`),
    post("/targets", `${json} -d '{"name":"Website","type":"website","config":{}}'`),
    post("/sources/1/import", `${json} -d '{"data":[{"id":"1","title":"Property"}]}'`),
    post("/sync/1/1", ""),
    `curl ${kAddress}/sources/1/properties ${key}`,
    post("/sources", `-d '{"name":"Listings","type":"scraped"}'`),
    post("/targets", `-d '{"name":"Site","type":"website"}'`),
    `curl ${kAddress}/targets/1/properties ${key}`,
    `curl ${kAddress}/health`,
    `curl ${kAddress}/sources ${key}`,
    `curl ${kAddress}/targets ${key}`,
  ];
}

/** The story with this address and key in place of the printed ones. */
export function readStory(origin: string, key: string): Story {
  const fill = (text: string): string =>
    kKeys.reduce((done, name) => done.replaceAll(name, key), text.replaceAll(kAddress, origin));
  const card = seed("004");
  const guide = seed("001");
  return {
    card: (card === null ? ownCard() : curlCommands(card)).map(fill),
    guide: guide === null ? null : curlCommands(guide).map(fill),
    scripts:
      card === null || guide === null
        ? null
        : {
            card: fill(between(card, /^\s*daily_sync\.py:/, /^\s*Schedule with/)),
            guide: fill(between(guide.replace(/^.*?`daily_sync\.py`/s, ""), /^```python/, /^```/)),
          },
  };
}
