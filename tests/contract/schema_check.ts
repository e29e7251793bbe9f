// A small JSON Schema check, for the part of the vocabulary that an OpenAPI 3.1 document of ours may
// use. An unknown keyword is an error, so that nothing passes because it was not looked at.

export type Schema = { readonly [name: string]: unknown } | boolean;

const kIgnored = new Set([
  "title",
  "description",
  "example",
  "examples",
  "default",
  "format",
  "deprecated",
  "readOnly",
  "writeOnly",
  "contentMediaType",
  "$comment",
  "minLength",
  "maxLength",
  "maxItems",
  "minItems",
]);

/** Follows a local reference such as `#/components/schemas/Source`. */
export function resolveRef(document: unknown, ref: string): unknown {
  let at: unknown = document;
  for (const part of ref.replace(/^#\//, "").split("/")) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !(name in at)) throw new Error(`no ${ref}`);
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What is wrong with the value, as `place: what`; empty where it fits. */
export function misfits(document: unknown, schema: Schema, value: unknown, at = ""): string[] {
  if (schema === true) return [];
  if (schema === false) return [`${at}: not allowed`];
  const found: string[] = [];
  const sub = (inner: unknown, part: unknown, place: string): string[] =>
    misfits(document, inner as Schema, part, place);
  for (const [keyword, rule] of Object.entries(schema)) {
    if (kIgnored.has(keyword) || keyword.startsWith("x-")) continue;
    switch (keyword) {
      case "$ref":
        found.push(...sub(resolveRef(document, String(rule)), value, at));
        break;
      case "type": {
        const wanted = [rule].flat();
        const type = typeOf(value);
        const fits = wanted.includes(type) || (type === "integer" && wanted.includes("number"));
        if (!fits) found.push(`${at}: ${type} in place of ${wanted.join(" or ")}`);
        break;
      }
      case "enum":
        if (!(rule as unknown[]).some((one) => same(one, value))) found.push(`${at}: not in enum`);
        break;
      case "const":
        if (!same(rule, value)) found.push(`${at}: not ${JSON.stringify(rule)}`);
        break;
      case "pattern":
        if (typeof value === "string" && !new RegExp(String(rule), "u").test(value)) {
          found.push(`${at}: does not match ${rule}`);
        }
        break;
      case "minimum":
        if (typeof value === "number" && value < Number(rule)) found.push(`${at}: below ${rule}`);
        break;
      case "maximum":
        if (typeof value === "number" && value > Number(rule)) found.push(`${at}: above ${rule}`);
        break;
      case "items":
        if (Array.isArray(value)) {
          found.push(...value.flatMap((part, index) => sub(rule, part, `${at}/${index}`)));
        }
        break;
      case "allOf":
        found.push(...(rule as unknown[]).flatMap((inner) => sub(inner, value, at)));
        break;
      case "anyOf":
      case "oneOf": {
        const fits = (rule as unknown[]).filter((inner) => sub(inner, value, at).length === 0);
        const right = keyword === "anyOf" ? fits.length > 0 : fits.length === 1;
        if (!right) found.push(`${at}: fits ${fits.length} of ${keyword}`);
        break;
      }
      case "properties":
      case "additionalProperties":
      case "required":
        break;
      default:
        found.push(`${at}: unknown keyword ${keyword}`);
    }
  }
  if (typeOf(value) === "object") found.push(...memberMisfits(document, schema, value, at));
  return found;
}

function memberMisfits(
  document: unknown,
  schema: { readonly [name: string]: unknown },
  value: unknown,
  at: string,
): string[] {
  const found: string[] = [];
  const members = value as Record<string, unknown>;
  const known = (schema["properties"] ?? {}) as Record<string, Schema>;
  for (const name of (schema["required"] ?? []) as string[]) {
    if (!Object.hasOwn(members, name)) found.push(`${at}: lacks ${name}`);
  }
  const rest = (schema["additionalProperties"] ?? true) as Schema;
  for (const [name, part] of Object.entries(members)) {
    const inner = Object.hasOwn(known, name) ? (known[name] ?? true) : rest;
    found.push(...misfits(document, inner, part, `${at}/${name}`));
  }
  return found;
}
