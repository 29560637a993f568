/** Raw client of server-sent events: head, comments, and the point of disconnection. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { type JobEvent, jobEventSchema } from '../../src/domain/jobs/training.ts';

export interface Stream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly response: IncomingMessage;
  /**
   * Messages as they arrive, with the comments and `retry` before them, and the rest, until the stream ends or is cut off.
   */
  messages(): AsyncGenerator<string>;
  /** The messages that are job events. */
  events(): AsyncGenerator<JobEvent>;
  /** Closes the connection. */
  close(): void;
}

export async function openStream(url: string, headers: Record<string, string> = {}): Promise<Stream> {
  const sent = request(url, { agent: false, headers: { accept: 'text/event-stream', ...headers } }).end();
  const [response]: IncomingMessage[] = await once(sent, 'response');
  assert.ok(response);

  async function* messages(): AsyncGenerator<string> {
    let text = '';
    try {
      for await (const part of response!.setEncoding('utf8')) {
        const whole = (text + part).split('\n\n');
        text = whole.pop()!;
        yield* whole;
      }
      if (text !== '') yield text;
    } catch (error) {
      // The connection was closed by either side. An incomplete message is dropped, as every client does.
      assert.match(String(error), /aborted|ECONNRESET|Premature close/);
    }
  }

  return {
    status: response.statusCode!,
    headers: response.headers,
    response,
    messages,
    async *events() {
      for await (const message of messages()) {
        const fields = /^(?::.*\n|retry: \d+\n)*id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(message);
        if (!fields) continue;
        const event = jobEventSchema.strict().parse(JSON.parse(fields[3]!));
        assert.deepEqual([fields[1], fields[2]], [String(event.id), event.type]);
        yield event;
      }
    },
    close: () => void response.destroy(),
  };
}

export async function idsOf(events: AsyncIterable<JobEvent>): Promise<number[]> {
  return (await Array.fromAsync(events)).map(({ id }) => id);
}

export const upTo = (last: number) => Array.from({ length: last }, (_, n) => n + 1);
