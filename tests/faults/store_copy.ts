// A copy of the store, to be opened without a trace in the original: SQLite repairs what a crash
// has left as soon as somebody opens it, and that is the server's to do.

import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { storeFile, untilStaged } from "../contract/store_file.ts";

export class StoreCopy {
  readonly file: string;
  private readonly original: string;

  /** The server has to run, as this looks into its files. */
  constructor(stateDir: string) {
    this.original = storeFile(stateDir);
    this.file = join(stateDir, "copy.sqlite");
  }

  /** Of a server that is down, or that nobody asks for anything. Replaces the last copy. */
  take(): string {
    rmSync(`${this.file}-shm`, { force: true });
    for (const end of ["", "-wal"]) {
      rmSync(`${this.file}${end}`, { force: true });
      const original = `${this.original}${end}`;
      if (existsSync(original)) copyFileSync(original, `${this.file}${end}`);
    }
    return this.file;
  }

  /** Waits until one more large import has staged something. */
  untilStaged(limitMs: number): Promise<void> {
    return untilStaged(this.original, limitMs);
  }
}
