// Reads C++ and TypeScript far enough to tell code from comments and literals.

export interface SourceText {
  /** The same text, line by line, with comments and the contents of literals blanked out. */
  readonly code: string;
  readonly strings: readonly string[];
}

/** Before a slash these mean that a regular expression begins, not a division. */
const kBeforeRegExp = /(?:^|[-+*%=<>&|^!~?:;,([{}]|\b(?:return|typeof|case|in|of))\s*$/;

/** Splits code from the rest. TypeScript's templates count as literals, the expressions in them as code. */
export function readSource(text: string, language: "cpp" | "ts"): SourceText {
  const strings: string[] = [];
  let code = "";
  const blank = (end: number): void => {
    code += text.slice(code.length, end).replace(/[^\n]/g, " ");
  };
  // For each open template the number of braces that are open in its expression.
  const templates: number[] = [];
  const readTemplate = (start: number): void => {
    const end = templateEnd(text, start);
    strings.push(text.slice(start, end));
    blank(end);
    if (text[end] === "`") code += "`";
    else templates.push(0);
  };
  while (code.length < text.length) {
    const at = code.length;
    const literal = literalAt(text, at, code, language);
    if (literal !== undefined) {
      if (literal.string !== undefined) strings.push(literal.string);
      code += literal.open;
      blank(literal.end);
    } else if (language === "ts" && text[at] === "`") {
      code += "`";
      readTemplate(at + 1);
    } else {
      const char = text[at] ?? "";
      const open = templates.at(-1);
      code += char;
      if (open === undefined || !/[{}]/.test(char)) continue;
      if (char === "}" && open === 1) {
        templates.pop();
        readTemplate(at + 1);
      } else {
        templates[templates.length - 1] = open + (char === "{" ? 1 : -1);
      }
    }
  }
  return { code, strings };
}

/** Where the text of a template ends: at its closing quote, or at the `$` of an expression. */
function templateEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "`" || text.startsWith("${", at)) return at;
  }
  return text.length;
}

/** The comment or literal that begins here: the quote that stays in the code, and its end. */
function literalAt(
  text: string,
  at: number,
  code: string,
  language: "cpp" | "ts",
): { open: string; end: number; string?: string } | undefined {
  const match = (pattern: RegExp): RegExpExecArray | null => {
    const sticky = new RegExp(pattern, "y");
    sticky.lastIndex = at;
    return sticky.exec(text);
  };
  const comment = match(/\/\/[^\n]*|\/\*[\s\S]*?\*\//);
  if (comment !== null) return { open: "", end: at + comment[0].length };
  // A digit separator of C++ is no quote.
  if (language === "cpp" && text[at] === "'" && /\w$/.test(code)) return undefined;
  const raw = language === "cpp" ? match(/R"([^(]*)\(([\s\S]*?)\)\1"/) : null;
  if (raw !== null) return { open: '"', end: at + raw[0].length, string: raw[2] ?? "" };
  const quoted = match(/"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/);
  if (quoted !== null) {
    return { open: '"', end: at + quoted[0].length, string: quoted[1] ?? quoted[2] ?? "" };
  }
  if (language === "cpp" || text[at] !== "/" || !kBeforeRegExp.test(code)) return undefined;
  const pattern = match(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/);
  return pattern === null ? undefined : { open: "/", end: at + pattern[0].length };
}
