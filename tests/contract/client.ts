// A small HTTP client for tests. It sends exactly what it is told: no redirects, no decoding, any
// method, bodies on any method. What every answer must carry is checked here, and that every JSON ends
// with a line feed.

import assert from "node:assert/strict";
import { type Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";

/** Of a connection on which nothing comes. No slow machine comes near it. */
const kTimeoutMs = 300_000;

/** What every answer tells browsers, whatever it is. */
const kFieldsOfAll = [
  ["x-content-type-options", "nosniff"],
  ["cross-origin-resource-policy", "same-origin"],
  ["referrer-policy", "no-referrer"],
] as const;

export interface Call {
  /** Sent as JSON, with `Content-Type: application/json`. */
  readonly body?: unknown;
  /** Sent as it is, without a content type of its own. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Another key than the client's; null for none. */
  readonly key?: string | null;
  readonly agent?: Agent;
}

export class Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;

  constructor(status: number, headers: IncomingHttpHeaders, bytes: Buffer) {
    this.status = status;
    this.headers = headers;
    this.bytes = bytes;
  }

  get text(): string {
    return this.bytes.toString("utf8");
  }

  header(name: string): string | null {
    const value = this.headers[name.toLowerCase()];
    if (value === undefined) return null;
    return Array.isArray(value) ? value.join(", ") : value;
  }

  get etag(): string {
    const etag = this.header("etag");
    assert.ok(etag !== null, "the answer has no ETag");
    return etag;
  }

  json<T>(): T {
    try {
      return JSON.parse(this.text) as T;
    } catch {
      assert.fail(`no JSON, status ${this.status}: ${this.text.slice(0, 300)}`);
    }
  }

  /** Asserts the status, with the body in the message, since that says what went wrong. */
  expect(status: number): this {
    assert.equal(this.status, status, `${this.status}: ${this.text.slice(0, 600)}`);
    return this;
  }
}

export class Client {
  readonly origin: string;
  readonly key: string | null;

  constructor(origin: string, key: string | null = null) {
    this.origin = origin;
    this.key = key;
  }

  withKey(key: string | null): Client {
    return new Client(this.origin, key);
  }

  get(path: string, call: Call = {}): Promise<Answer> {
    return this.request("GET", path, call);
  }

  post(path: string, body?: unknown, call: Call = {}): Promise<Answer> {
    return this.request("POST", path, body === undefined ? call : { ...call, body });
  }

  patch(path: string, body: unknown, call: Call = {}): Promise<Answer> {
    return this.request("PATCH", path, { ...call, body });
  }

  delete(path: string, call: Call = {}): Promise<Answer> {
    return this.request("DELETE", path, call);
  }

  request(method: string, path: string, call: Call = {}): Promise<Answer> {
    const headers: Record<string, string | readonly string[]> = {};
    const key = call.key === undefined ? this.key : call.key;
    if (key !== null) headers["X-API-Key"] = key;
    let payload = call.raw;
    if (call.body !== undefined) {
      payload = JSON.stringify(call.body);
      headers["Content-Type"] = "application/json";
    }
    Object.assign(headers, call.headers);
    return this.send(method, path, headers, payload, call.agent);
  }

  private send(
    method: string,
    path: string,
    headers: Record<string, string | readonly string[]>,
    payload: string | Uint8Array | undefined,
    agent: Agent | undefined,
  ): Promise<Answer> {
    const url = new URL(this.origin);
    const bytes = payload === undefined ? null : Buffer.from(payload);
    if (bytes !== null) headers["Content-Length"] = String(bytes.length);
    return new Promise((done, fail) => {
      const outgoing = httpRequest(
        {
          host: url.hostname,
          port: url.port,
          method,
          path,
          headers: headers as Record<string, string | string[]>,
          agent: agent ?? false,
          timeout: kTimeoutMs,
        },
        (incoming) => {
          const parts: Buffer[] = [];
          incoming.on("data", (part: Buffer) => parts.push(part));
          incoming.on("error", fail);
          incoming.on("end", () => {
            const answer = new Answer(
              incoming.statusCode ?? 0,
              incoming.headers,
              Buffer.concat(parts),
            );
            try {
              assertConventions(answer, `${method} ${path}`);
              done(answer);
            } catch (error) {
              fail(error);
            }
          });
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error(`${method} ${path}: no answer`)));
      outgoing.on("error", fail);
      outgoing.end(bytes ?? undefined);
    });
  }
}

function assertConventions(answer: Answer, what: string): void {
  assert.ok(answer.header("x-request-id"), `${what}: no X-Request-Id`);
  for (const [name, value] of kFieldsOfAll) assert.equal(answer.header(name), value, what);
  const json = /^application\/(problem\+)?json/.test(answer.header("content-type") ?? "");
  if (json && answer.bytes.length > 0) {
    assert.match(
      answer.text.slice(-2),
      /^[}\]]\n$/,
      `${what}: a prompt would stand on the last line`,
    );
  }
}

/** Opens a socket to the server, for requests that no HTTP client would send. */
export function openSocket(origin: string): Promise<Socket> {
  const url = new URL(origin);
  return new Promise((done, fail) => {
    const socket = connect(Number(url.port), url.hostname, () => {
      socket.off("error", fail);
      // A peer that closes early is part of what these tests look at.
      socket.on("error", () => undefined);
      done(socket);
    });
    socket.once("error", fail);
  });
}

/** Reads one answer from the socket, or null when the peer closes without one. */
export function readAnswer(socket: Socket, timeoutMs = kTimeoutMs): Promise<Answer | null> {
  return new Promise((done, fail) => {
    let bytes = Buffer.alloc(0);
    const finish = (answer: Answer | null): void => {
      clearTimeout(timer);
      socket.off("data", onData);
      socket.off("close", onClose);
      done(answer);
    };
    const timer = setTimeout(() => fail(new Error("no answer on the socket")), timeoutMs);
    const onData = (part: Buffer): void => {
      bytes = Buffer.concat([bytes, part]);
      const answer = parseAnswer(bytes, false);
      if (answer !== null) finish(answer);
    };
    const onClose = (): void => finish(parseAnswer(bytes, true));
    socket.on("data", onData);
    socket.on("close", onClose);
  });
}

/** Sends the parts as one request and reads the answer. */
export async function exchange(
  origin: string,
  ...parts: (string | Uint8Array)[]
): Promise<Answer | null> {
  const socket = await openSocket(origin);
  try {
    for (const part of parts) socket.write(part);
    return await readAnswer(socket);
  } finally {
    socket.destroy();
  }
}

function parseAnswer(bytes: Buffer, closed: boolean): Answer | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const lines = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const status = Number(lines[0]?.split(" ")[1]);
  const headers: Record<string, string> = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const rest = bytes.subarray(end + 4);
  if (headers["transfer-encoding"]?.toLowerCase() === "chunked") {
    const body = dechunk(rest);
    return body === null && !closed ? null : new Answer(status, headers, body ?? rest);
  }
  const length = headers["content-length"];
  if (length !== undefined) {
    if (rest.length < Number(length) && !closed) return null;
    return new Answer(status, headers, rest.subarray(0, Number(length)));
  }
  if (status === 204 || status === 304 || closed) return new Answer(status, headers, rest);
  return null;
}

function dechunk(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
    at = lineEnd + 2;
    if (at + size + 2 > bytes.length) return null;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
}
