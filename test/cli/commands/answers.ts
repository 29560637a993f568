/** A server with a fixed response per request, for what a command sends, prints and notes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { type Result, run } from '../run.ts';

interface Received {
  /** Method and path, the keys of the answers. */
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A response that is not JSON with status 200. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const problem = (status: number, code: string, detail: string): Answer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ code, detail }),
});

const isAnswer = (answer: object): answer is Answer => 'body' in answer && 'headers' in answer;

/** @param answers by method and path, such as `GET /v1/models`; everything else does not exist */
export async function serveAnswers(t: TestContext, answers: Readonly<Record<string, object>>) {
  const requests: Received[] = [];
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push({ line, headers: request.headers, body: await text(request) });
    const answer = answers[line] ?? problem(404, 'not-found', `${line} does not exist.`);
    const { status, headers, body } = isAnswer(answer)
      ? answer
      : { status: 200, headers: {}, body: JSON.stringify(answer) };
    response.writeHead(status, headers).end(body);
  });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const environment = { ATELIER_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const atelier = (...args: string[]) => run(args, environment);
  return { requests, atelier, environment };
}

/** What a command prints that must succeed. */
export async function printed(result: Promise<Result>): Promise<string> {
  const { code, stdout, stderr } = await result;
  assert.equal(code, 0, stderr);
  return stdout;
}
