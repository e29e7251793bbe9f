// A copy of the store, to be opened without a trace in the original: SQLite repairs what a crash
// has left as soon as somebody opens it, and that is the server's to do.

import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { storeFile } from "../contract/store_file.ts";

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

  /** Waits, up to a limit, until one more large import has staged something. */
  async untilStaged(limitMs: number): Promise<void> {
    const store = new DatabaseSync(this.original, { readOnly: true });
    try {
      const query = store.prepare("SELECT count(DISTINCT import_id) AS n FROM staging");
      const staged = (): number => Number(query.get()?.["n"]);
      const [before, deadline] = [staged(), Date.now() + limitMs];
      while (staged() <= before && Date.now() < deadline) await sleep(1);
    } finally {
      store.close();
    }
  }
}
