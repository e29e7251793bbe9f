// The bodies of the imports of one size, as files: made once, sent to both Workers, and read by the
// native program, too.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importBody, type Variant } from "./generate.ts";

/** What fits into one request of 100,000,000 bytes, at 1,067 bytes a property. */
export const kMostInBody = 93_000;
/** What "a few changes" means, at any size. */
export const kFew = 100;

/**
 * Each differs from the state that the one before it left; revisions make them differ where both
 * change a property.
 */
export const kBodyKinds = {
  new: ["new", 0],
  changed_1_percent: ["changed_1_percent", 1],
  few_changed: ["all_changed", 3],
  all_changed: ["all_changed", 2],
} as const satisfies Record<string, readonly [Variant, number]>;
export type BodyKind = keyof typeof kBodyKinds;

export class Bodies {
  readonly size: number;
  readonly #folder: string;
  readonly #made = new Map<string, string[]>();

  constructor(folder: string, size: number) {
    this.size = size;
    this.#folder = join(folder, `bodies-${size}`);
    mkdirSync(this.#folder);
  }

  /**
   * The files of an import: as few requests as can be, all of about one size. Each repetition of
   * `few_changed` changes the same properties once more.
   */
  files(kind: BodyKind, repetition = 0): readonly string[] {
    const name = `${kind}-${kind === "few_changed" ? repetition : 0}`;
    let files = this.#made.get(name);
    if (files === undefined) {
      files = this.#make(name, kind, kBodyKinds[kind][1] + repetition);
      this.#made.set(name, files);
    }
    return files;
  }

  drop(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #make(name: string, kind: BodyKind, revision: number): string[] {
    const [variant] = kBodyKinds[kind];
    const count = kind === "few_changed" ? Math.min(kFew, this.size) : this.size;
    const requests = Math.ceil(count / kMostInBody);
    return Array.from({ length: requests }, (_, part) => {
      const file = join(this.#folder, `${name}-${part}.json`);
      const first = Math.floor((count * part) / requests);
      const end = Math.floor((count * (part + 1)) / requests);
      writeFileSync(file, importBody(first, end, variant, revision));
      return file;
    });
  }
}
