import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { busyThread } from '../../support/busy-thread.ts';
import { assertProblem, startService } from '../../support/start-service.ts';

/** Running threads of the pools. Training threads end by themselves. */
const threads = new Set<Worker>();
process.on('worker', (worker) => {
  threads.add(worker);
  worker.once('exit', () => threads.delete(worker));
});
const logged: string[] = [];
const { app } = await startService({ after }, {}, (line) => logged.push(line));
await app.listen({ port: 0 });

const post = (payload: object) => app.inject({ method: 'POST', url: '/v1/gradient-checks', payload });

/** A check that costs just enough to run in the thread for long ones. */
const longer = { network: { hidden: [200] }, examples: 60, coordinates: { sample: 100_000 } };

/** A check that takes seconds, below the cost limit. */
const long = { network: { hidden: [300] }, examples: 60 };

test('a client that disconnects ends the thread, and the next check succeeds', async () => {
  // Starts the thread. If its task were aborted earlier, the start would continue.
  assert.equal((await post(longer)).json().passed, true);
  const { port } = app.server.address() as AddressInfo;
  const body = JSON.stringify(long);
  const received = once(app.server, 'request');
  const socket = connect(port);
  socket.write(
    `POST /v1/gradient-checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  await received;
  const thread = await busyThread(threads);
  const before = [...threads];
  socket.destroy();
  await once(thread, 'exit');
  assert.deepEqual(
    before.filter((each) => !threads.has(each)),
    [thread],
  );
  assert.equal((await post(longer)).json().passed, true);
  assert.deepEqual(logged, [], 'a disconnect is not an error');
});

/** A check that takes many minutes, and streams its progress. */
const follow = (signal?: AbortSignal) => {
  const { port } = app.server.address() as AddressInfo;
  const network = { convolutions: [[32, 32]], hidden: [8] };
  return fetch(`http://localhost:${port}/v1/gradient-checks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ network, examples: 1, coordinates: 'all' }),
    ...(signal && { signal }),
  });
};

test('a check that takes minutes streams its progress, holds up no other one, and ends with its client', async () => {
  const client = new AbortController();
  const response = await follow(client.signal);
  assert.equal(response.status, 200);
  let text = '';
  const counts: number[] = [];
  for await (const bytes of response.body!.values({ preventCancel: true })) {
    text += Buffer.from(bytes).toString();
    counts.splice(
      0,
      counts.length,
      ...[...text.matchAll(/"done":(\d+),"coordinates":/g)].map(([, n]) => Number(n)),
    );
    if (counts.at(-1)! > 0) break;
  }
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
  );
  assert.equal((await post(longer)).json().passed, true);
  const thread = await busyThread(threads);
  client.abort();
  await once(thread, 'exit');
});

test('a thread that crashes ends a streamed check with an error', async () => {
  const response = await follow();
  const thread = await busyThread(threads);
  await thread.terminate();
  assert.match(await response.text(), /\nevent: error\ndata: .*"code":"worker-crashed"/);
  logged.length = 0;
});

test('a crashing thread fails its check by name, and the next one succeeds', async () => {
  let isWaiting = true;
  const crashing = post(long).finally(() => {
    isWaiting = false;
  });
  // Terminates all threads, because the busy one is not known, and may still be starting.
  for (let attempt = 0; isWaiting; attempt++) {
    await setTimeout(500 * attempt);
    await Promise.all([...threads].map((thread) => thread.terminate()));
  }
  assertProblem(await crashing, 500, 'worker-crashed');
  assert.match(logged.join(), /worker-crashed/);
  assert.equal((await post({})).json().passed, true);
});
