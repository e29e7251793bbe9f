// HTTP as the benchmark needs it: one request at a time on a connection that stays open, timed from the first byte sent to
// the last byte received.
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
