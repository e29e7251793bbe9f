// A disk of a few megabytes for one server, so that a test can fill it: a file system in memory, in a
// mount namespace of the server's own. From outside it is reached below `/proc/<pid>/root`.

import assert from "node:assert/strict";
import { closeSync, openSync, writeSync } from "node:fs";

/** What runs a command with a small disk in the place of a folder, which nobody else sees. */
export function onDiskOf(megabytes: number, folder: string): string[] {
  const mounts = `mount -t tmpfs -o size=${megabytes}m tmpfs "$0" && exec "$@"`;
  const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  return ["unshare", "--mount", ...asRoot, "sh", "-c", mounts, folder];
}

/** Writes a file until nothing more fits. */
export function fill(file: string): void {
  const descriptor = openSync(file, "w");
  try {
    for (const bytes of [1_048_576, 4_096]) {
      const block = Buffer.alloc(bytes);
      while (isWritten(descriptor, block));
    }
  } finally {
    closeSync(descriptor);
  }
}

function isWritten(descriptor: number, block: Buffer): boolean {
  try {
    return writeSync(descriptor, block) > 0;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
    return false;
  }
}
