// Requests for one row, against what an empty Worker pays for one D1 query, and for a query and a
// write that depends on it. All kinds take turns, request by request.
import { type Api, createPair, type request, requestJson } from "./client.ts";
import { importBody } from "./generate.ts";
import { look } from "./servers.ts";
import { percentile } from "./statistics.ts";

/** Rows of the target that single ones are taken from. */
const kRows = 1000;
const kWarmUp = 50;

export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  /** Round trips to D1, and the rows that it bills, of one request. */
  readonly calls?: number;
  readonly rowsRead?: number;
  readonly rowsWritten?: number;
}

/**
 * `floor` is an empty Worker with one D1 query, `edit floor` one that writes, too; the others are
 * named `<server> GET` and `<server> PATCH`.
 */
export type SingleResults = Record<string, Latency>;

export async function measureSingle(
  apis: readonly Api[],
  floorUrl: string,
  count: number,
): Promise<SingleResults> {
  const kinds = new Map<string, (turn: number) => Promise<number>>([
    ["floor", () => timed(200, floorUrl, "GET", "/floor")],
    ["edit floor", () => timed(200, floorUrl, "PATCH", "/floor")],
  ]);
  const costs = new Map<string, Cost>();
  for (const api of apis) {
    const paths = await createRows(api);
    const path = (turn: number) => paths[(turn * 37) % paths.length] as string;
    kinds.set(`${api.name} GET`, (turn) =>
      timed(200, api.url, "GET", path(turn), undefined, api.key),
    );
    kinds.set(`${api.name} PATCH`, (turn) => {
      const body = JSON.stringify({ data: { price: turn + 0.5 } });
      return timed(200, api.url, "PATCH", path(turn), body, api.key);
    });
    for (const name of [`${api.name} GET`, `${api.name} PATCH`]) {
      costs.set(name, await costOf(api, () => kinds.get(name)?.(0)));
    }
  }
  const times = new Map<string, number[]>();
  for (let turn = 0; turn < kWarmUp + count; turn++) {
    for (const [name, measure] of kinds) {
      const ms = await measure(turn);
      if (turn >= kWarmUp) times.set(name, [...(times.get(name) ?? []), ms]);
    }
  }
  const results: SingleResults = {};
  for (const [name, ms] of times) {
    results[name] = {
      count: ms.length,
      p50: percentile(ms, 0.5),
      p99: percentile(ms, 0.99),
      ...costs.get(name),
    };
  }
  return results;
}

interface Cost {
  readonly calls: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

/** What the server asks of D1 for one request. */
async function costOf(api: Api, send: () => Promise<unknown> | undefined): Promise<Cost> {
  const before = await look(api);
  await send();
  const after = await look(api);
  return {
    calls: after.calls - before.calls,
    rowsRead: after.rowsRead - before.rowsRead,
    rowsWritten: after.rowsWritten - before.rowsWritten,
  };
}

async function timed(status: number, ...request_: Parameters<typeof request>): Promise<number> {
  return (await requestJson(status, ...request_)).answer.ms;
}

/** The paths of the rows of a fresh target. */
async function createRows(api: Api): Promise<string[]> {
  const { source, target } = await createPair(api);
  const body = importBody(0, kRows, "new");
  await requestJson(200, api.url, "POST", `/sources/${source}/import`, body, api.key);
  await requestJson(200, api.url, "POST", `/sync/${source}/${target}`, undefined, api.key);
  const list = `/targets/${target}/properties`;
  const { value } = await requestJson<{ id: number }[]>(
    200,
    api.url,
    "GET",
    `${list}?limit=${kRows}`,
    undefined,
    api.key,
  );
  return value.map((row) => `${list}/${row.id}`);
}
