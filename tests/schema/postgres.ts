// A PostgreSQL server of a test's own: a cluster in a temporary folder, reached by a socket in it, gone with the test.
// PostgreSQL refuses to run as root; there it runs as the user that its package makes.
import { execFile, execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Client, types } from "pg";
import { readHostTexts } from "../../schema/queries.mjs";

const run = promisify(execFile);
const kDebian = "/usr/lib/postgresql";
const migrations = resolve(import.meta.dirname, "../../schema/postgres");

// Ids stay below what a double holds; the driver gives texts for BIGINT otherwise.
types.setTypeParser(types.builtins.INT8, Number);

export interface Postgres {
  /** The folder of the socket. */
  readonly host: string;
  readonly user: string;
  /** A session of its own, in a database that `createDatabase` made. */
  connect(database: string): Promise<Client>;
  /** A database with the schema in it. */
  createDatabase(name: string): Promise<Client>;
  stop(): Promise<void>;
}

/** Debian keeps the server's programs out of the PATH, a folder for each version: the newest counts. */
function findPrograms(): string {
  const versions = existsSync(kDebian) ? readdirSync(kDebian) : [];
  const [newest] = versions.sort((a, b) => Number(b) - Number(a));
  return newest === undefined ? "" : join(kDebian, newest, "bin");
}

export async function startPostgres(): Promise<Postgres> {
  const programs = findPrograms();
  const folder = mkdtempSync(join(tmpdir(), "sync-manager-postgres-"));
  const identity = process.getuid?.() === 0 ? userOf("postgres") : undefined;
  if (identity !== undefined) chownSync(folder, identity.uid, identity.gid);
  const data = join(folder, "data");
  const call = (program: string, ...args: string[]) =>
    run(join(programs, program), args, { ...identity, cwd: folder });
  await call("initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync");
  // Nobody counts rows unasked: plans have to be good before that, too.
  const settings = `-c listen_addresses='' -c unix_socket_directories='${folder}' -c fsync=off -c autovacuum=off`;
  await call("pg_ctl", "-D", data, "-w", "-s", "-l", join(folder, "log"), "-o", settings, "start");

  const sessions: Client[] = [];
  const connect = async (database: string) => {
    const client = new Client({ host: folder, user: "test", database });
    await client.connect();
    await client.query(readHostTexts("postgres").session);
    sessions.push(client);
    return client;
  };
  return {
    host: folder,
    user: "test",
    connect,
    createDatabase: async (name) => {
      const first = await connect("postgres");
      await first.query(`CREATE DATABASE ${name}`);
      const client = await connect(name);
      for (const file of readdirSync(migrations).sort())
        await client.query(readFileSync(join(migrations, file), "utf8"));
      return client;
    },
    stop: async () => {
      await Promise.all(sessions.map((client) => client.end()));
      await call("pg_ctl", "-D", data, "-m", "immediate", "-s", "stop");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function userOf(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
