/** Third-party clients of server-sent events: each follows a stream until a 204. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fetchEventSource } from '@microsoft/fetch-event-source';
import { EventSource } from 'eventsource';
import { createEventSource } from 'eventsource-client';
import { EVENT_TYPES } from '../../src/domain/jobs/training.ts';

/** @returns resolves when the client has stopped after a 204 */
type Follow = (url: string, onId: (id: string) => void) => Promise<void>;

export const EVENT_CLIENTS: Readonly<Record<string, Follow>> = {
  async eventsource(url, onId) {
    const source = new EventSource(url);
    for (const type of EVENT_TYPES) {
      source.addEventListener(type, (event) => {
        if (event instanceof MessageEvent) onId(event.lastEventId);
      });
    }
    // Errors are also an event type of jobs.
    const ended = Promise.withResolvers<void>();
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) ended.resolve();
    });
    await ended.promise;
  },

  async 'eventsource-client'(url, onId) {
    const ended = Promise.withResolvers<void>();
    const follow: typeof fetch = async (...request) => {
      const response = await fetch(...request);
      if (response.status === 204) ended.resolve();
      return response;
    };
    const client = createEventSource({ url, fetch: follow, onMessage: ({ id }) => onId(id!) });
    await ended.promise;
    client.close();
  },

  // Its documentation: throw in onclose to reconnect after a stream that ended too early.
  async 'fetch-event-source'(url, onId) {
    const page = { hidden: false, addEventListener: () => {}, removeEventListener: () => {} };
    Object.assign(globalThis, { window: globalThis, document: page });
    const stop = new AbortController();
    await fetchEventSource(url, {
      signal: stop.signal,
      async onopen({ status, headers }) {
        if (status === 204) stop.abort();
        else assert.match(headers.get('content-type')!, /^text\/event-stream/);
      },
      onmessage({ id, data }) {
        // It throws if a message has no data.
        JSON.parse(data);
        onId(id);
      },
      onclose() {
        throw new Error('The stream ended early.');
      },
    });
  },

  async 'httpx-sse'(url, onId) {
    const script = join(import.meta.dirname, 'children/follow-events.py');
    const client = spawn('/usr/bin/python3', [script, url], { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: client.stdout }).on('line', onId);
    assert.deepEqual(await once(client, 'close'), [0, null]);
  },

  // curl does not reconnect.
  async curl(url, onId) {
    let lastId: string | undefined;
    for (let retryMs = 2000, status = ''; status !== '204'; await wait(retryMs)) {
      const headers = ['accept: text/event-stream', ...(lastId ? [`last-event-id: ${lastId}`] : [])];
      const options = [
        '-sN',
        '-w',
        '\nstatus: %{http_code}\n',
        ...headers.flatMap((header) => ['-H', header]),
      ];
      const client = spawn('curl', [...options, url], { stdio: ['ignore', 'pipe', 'inherit'] });
      createInterface({ input: client.stdout }).on('line', (line) => {
        const [, field, value] = /^(id|event|retry|status): (.+)$/.exec(line) ?? [];
        if (field === 'retry') retryMs = Number(value);
        if (field === 'status') status = value!;
        if (field === 'id') lastId = value!;
        if (field === 'event') onId(lastId!);
      });
      await once(client, 'close');
    }
  },
};
