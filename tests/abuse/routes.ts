// Every route of the API document, and the places in its body where a client may put a value of any
// shape.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface Media {
  readonly schema: Schema;
  readonly example?: Readonly<Record<string, unknown>>;
}

interface Operation {
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly responses: Readonly<Record<string, unknown>>;
  readonly parameters?: readonly { readonly name?: string; readonly in?: string }[];
  readonly requestBody?: {
    readonly description?: string;
    readonly content: Readonly<Record<string, Media>>;
  };
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** Where a value stands: what is around it. */
export interface Place {
  readonly name: string;
  readonly mediaType: string;
  readonly around: (value: string) => string;
  /** A body as a whole, or a member of some kind: most shapes are nothing but wrong there. */
  readonly isRough: boolean;
}

export interface Route {
  readonly method: string;
  readonly path: string;
  /** What is asked for of those who call: nothing, a tenant's key, or something of an administrator. */
  readonly access: "open" | "key" | "administrator";
  /** What it may answer with. */
  readonly statuses: readonly string[];
  readonly parameters: readonly string[];
  /** Of its body. */
  readonly maxBytes: number;
  readonly places: readonly Place[];
}

/** Of a body that a route takes although it has no use for it. */
const kOtherBytes = 1024 * 1024;

const document = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "../../schema/openapi.json"), "utf8"),
) as Document;

const kJson = "application/json";
const kWhole: Place = { name: "", mediaType: kJson, around: (value) => value, isRough: true };

export function allRoutes(): Route[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => /^(get|post|put|patch|delete)$/.test(method))
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        access: accessOf(operation),
        statuses: Object.keys(operation.responses),
        parameters: (operation.parameters ?? []).flatMap(({ name, in: where }) =>
          name !== undefined && where === "query" ? [name] : [],
        ),
        maxBytes: Number(/\d+/.exec(operation.requestBody?.description ?? "")?.[0] ?? kOtherBytes),
        places: placesOf(operation),
      })),
  );
}

function accessOf({ security }: Operation): Route["access"] {
  if (security.length === 0) return "open";
  return security.some((one) => Object.hasOwn(one, "key")) ? "key" : "administrator";
}

function placesOf({ requestBody }: Operation): Place[] {
  const places = Object.entries(requestBody?.content ?? {}).flatMap(([mediaType, media]) =>
    mediaType === kJson ? membersOf(media) : mediaType.endsWith("ndjson") ? linesOf(mediaType) : [],
  );
  return [kWhole, ...places];
}

function membersOf({ schema, example }: Media): Place[] {
  return Object.entries(resolved(schema).properties ?? {}).flatMap(([name, member]) => {
    const types = [resolved(member).type ?? "object"].flat();
    const place = (open: string, close: string, isRough = false): Place => ({
      name: `/${name} in ${open}${close}`,
      mediaType: kJson,
      around: (value) => beside(example, name, `${open}${value}${close}`),
      isRough,
    });
    if (types.includes("array"))
      return [place("", ""), place("[", "]"), place('[{"id":"x","a":', "}]")];
    return [place("", "", true), ...(types.includes("object") ? [place('{"a":', "}")] : [])];
  });
}

function linesOf(mediaType: string): Place[] {
  const unlisted = (value: string): string =>
    /^[[{]/.test(value) ? value.slice(1, -1).replaceAll(",", "\n") : value;
  return [
    { name: "a line", mediaType, around: (value) => `{"id":"x","a":${value}}\n`, isRough: false },
    { name: "lines", mediaType, around: unlisted, isRough: false },
  ];
}

/** What the document gives as an example, but for one member. */
function beside(
  example: Readonly<Record<string, unknown>> | undefined,
  name: string,
  value: string,
): string {
  const others = Object.entries(example ?? {}).filter(([other]) => other !== name);
  const members = others.map(
    ([other, given]) => `${JSON.stringify(other)}:${JSON.stringify(given)}`,
  );
  return `{${[...members, `${JSON.stringify(name)}:${value}`].join(",")}}`;
}

function resolved(schema: Schema): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : (document.components.schemas[name] ?? {});
}
