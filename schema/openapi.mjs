// Makes a C++ source of the API document, schema/openapi.json, which the core serves without its indentation.
//
//   node schema/openapi.mjs <source>
import { createHash } from "node:crypto";
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

const document = readDocument();
const delimiter = "document";
const digest = createHash("sha256").update(document).digest("hex").slice(0, 32);
if (document.includes(`)${delimiter}"`)) throw new Error("the text would end its own literal");
writeFileSync(
  process.argv[2],
  `// Made by schema/openapi.mjs from schema/openapi.json.
#include "core/api/openapi.h"

namespace sm::api {

std::string_view openapi_text() { return R"${delimiter}(${document})${delimiter}"; }

std::string_view openapi_tag() { return "\\"${digest}\\""; }

}  // namespace sm::api
`,
);
