// HTTP as the benchmark needs it: one request at a time on a connection that stays open, timed from
// the first byte sent to the last byte received.
import { Agent, request as httpRequest } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly ms: number;
}

export function request(
  url: string,
  method: string,
  path: string,
  body?: Buffer | string,
  key?: string,
): Promise<Answer> {
  const headers: Record<string, string> = {};
  if (key !== undefined) headers["x-api-key"] = key;
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    headers["content-length"] = String(Buffer.byteLength(body));
  }
  return new Promise((done, failed) => {
    const started = performance.now();
    const sent = httpRequest(url + path, { method, agent, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", failed);
      response.on("end", () => {
        const ms = performance.now() - started;
        const text = Buffer.concat(parts).toString("utf8");
        done({ status: response.statusCode ?? 0, text, headers: response.headers, ms });
      });
    });
    sent.on("error", failed);
    sent.end(body);
  });
}

/** The answer as JSON; anything but `status` is an error that says what came instead. */
export async function requestJson<T>(
  status: number,
  ...request_: Parameters<typeof request>
): Promise<{ value: T; answer: Answer }> {
  const answer = await request(...request_);
  if (answer.status !== status) {
    const [, method, path] = request_;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 1000)}`);
  }
  return { value: JSON.parse(answer.text) as T, answer };
}

/**
 * A list that is not kept: how many rows came, told by a member that each has once and that no data
 * has. `ms` runs to the last byte.
 */
export function requestRows(
  url: string,
  path: string,
  key: string,
): Promise<{ rows: number; bytes: number; ms: number; firstByteMs: number }> {
  return new Promise((done, failed) => {
    const started = performance.now();
    let firstByteMs = Number.NaN;
    let rows = 0;
    let bytes = 0;
    let before = Buffer.alloc(0);
    const sent = httpRequest(url + path, { agent, headers: { "x-api-key": key } }, (response) => {
      if (response.statusCode !== 200) failed(new Error(`GET ${path}: ${response.statusCode}`));
      response.on("data", (part: Buffer) => {
        if (bytes === 0) firstByteMs = performance.now() - started;
        bytes += part.length;
        // A member that two parts share stands in neither.
        const text = Buffer.concat([before, part]);
        rows += occurrences(text, kRowMember);
        before = text.subarray(Math.max(0, text.length - kRowMember.length + 1));
      });
      response.on("error", failed);
      response.on("end", () => done({ rows, bytes, ms: performance.now() - started, firstByteMs }));
    });
    sent.on("error", failed);
    sent.end();
  });
}

const kRowMember = Buffer.from('"sync_status":');

function occurrences(text: Buffer, member: Buffer): number {
  let found = 0;
  for (let at = text.indexOf(member); at !== -1; at = text.indexOf(member, at + member.length)) {
    found++;
  }
  return found;
}

/** A server with the key of a tenant that was made for this run. */
export interface Api {
  readonly name: string;
  readonly url: string;
  readonly key: string;
}

export async function createApi(name: string, url: string): Promise<Api> {
  const body = JSON.stringify({ name: "Benchmark" });
  const { value } = await requestJson<{ api_key: string }>(201, url, "POST", "/tenants", body);
  return { name, url, key: value.api_key };
}

export async function createPair(api: Api): Promise<{ source: number; target: number }> {
  const create = async (path: string, type: string) => {
    const body = JSON.stringify({ name: "Benchmark", type });
    const created = await requestJson<{ id: number }>(201, api.url, "POST", path, body, api.key);
    return created.value.id;
  };
  return { source: await create("/sources", "json"), target: await create("/targets", "internal") };
}
