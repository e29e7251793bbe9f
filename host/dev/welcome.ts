// What `make run` prints when it serves.

import { relative, resolve } from "node:path";
import type { Settings } from "./settings.ts";
import { workerVariable } from "./state.ts";

/** The first line is an interface: tests wait for it. */
export function printWelcome(
  address: string,
  settings: Settings,
  database: "new" | "existing",
): void {
  const folder = relative(process.cwd(), settings.stateDir) || ".";
  console.log(`Sync Manager is ready on ${address}`);
  const lines = [
    "",
    "For this machine alone: it listens on 127.0.0.1, and is not made to be exposed (README, Deploy it).",
    `Documentation: ${address}/docs`,
    `Database and secrets: ${folder} (Ctrl-C ends this, the data stays)`,
    "",
    ...(database === "new" ? firstSteps(address, settings) : nextSteps(address, settings)),
    "",
  ];
  console.log(lines.join("\n"));
}

const key = '-H "X-API-Key: $KEY"';

function firstSteps(address: string, settings: Settings): string[] {
  return [
    "Try next: a tenant, whose key is shown this once, and a source with a first property.",
    ...newTenant(address, settings),
    `  source=$(curl -s -X POST ${address}/sources ${key} -d '{"name":"Properties","type":"json"}' |`,
    `    sed 's/^{"id":\\([0-9]*\\).*/\\1/'); echo $source`,
    `  curl -X POST ${address}/sources/$source/import ${key} -d '{"data":[{"id":"1","title":"Property"}]}'`,
    `Then a target and a first sync: ${address}/ has the lines.`,
  ];
}

function nextSteps(address: string, settings: Settings): string[] {
  return [
    "The database was there before, and so are its tenants, sources and targets. With a tenant's key (KEY=sm_…):",
    `  curl ${address}/sources ${key}`,
    `  curl ${address}/targets ${key}`,
    `  curl ${address}/logs ${key}`,
    "Keys are shown once, when they are made, and cannot be read again. Another tenant, with a key of its own:",
    ...newTenant(address, settings),
    "An empty database: STATE_DIR=<another folder> make run",
  ];
}

function newTenant(address: string, { stateDir }: Settings): string[] {
  const open = workerVariable(stateDir, "TENANT_SIGNUP") === "open";
  const file = relative(process.cwd(), resolve(stateDir, "dev.env"));
  const token = `-H "Authorization: Bearer $(sed -n 's/^ADMIN_TOKEN=//p' ${file})" `;
  return [
    `  KEY=$(curl -s -X POST ${address}/tenants ${open ? "" : token}-d '{"name":"My company"}' |`,
    `    sed 's/.*"api_key":"\\([^"]*\\)".*/\\1/'); echo $KEY`,
  ];
}
