// Writes the API document, schema/openapi.json, without its indentation, as it is served.
//
//   node schema/openapi.mjs <file>
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const path = join(import.meta.dirname, "openapi.json");

function readDocument() {
  const text = readFileSync(path, "utf8");
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    console.error(`${path} is no JSON: ${error.message}`);
    console.error(
      "take any version of it that is, such as the last commit's; make openapi writes it anew",
    );
    process.exit(1);
  }
}

writeFileSync(process.argv[2], `${readDocument()}\n`);
