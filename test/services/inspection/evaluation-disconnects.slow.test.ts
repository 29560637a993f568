import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { busyThread } from '../../support/busy-thread.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { startService, tiny, train } from '../../support/start-service.ts';

/** Running threads of the pools. Training threads end by themselves. */
const threads = new Set<Worker>();
process.on('worker', (worker) => {
  threads.add(worker);
  worker.once('exit', () => threads.delete(worker));
});
describe('clients waiting for an evaluation, a path or a report', async () => {
  const logged: string[] = [];
  const { app } = await startService({ after }, { DATA_DIR }, (line) => logged.push(line));
  await app.listen({ port: 0 });
  // Its path takes seconds, and less than the limit.
  const training = { epochs: 1, batchSize: 1024, validation: { fraction: 0.98 } };
  const { id } = await train(app, tiny({ modelName: 'wide', network: { hidden: [800] }, training }));
  const evaluation = '/v1/models/wide/versions/1/evaluation';
  // Loads the parameters, so that the requests below do not wait for the disk.
  await app.inject(evaluation);

  async function ask(url: string): Promise<Socket> {
    const { port } = app.server.address() as AddressInfo;
    const received = once(app.server, 'request');
    const socket = connect(port);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await received;
    return socket;
  }

  const path = `/v1/training-jobs/${id}/path`;
  const report = `/v1/training-jobs/${id}/report?check=none`;
  const urls = { 300: `${evaluation}?split=train`, 301: path, 302: report };
  for (const [examples, url] of Object.entries(urls)) {
    test(`end its thread when the only one disconnects: ${url}`, async () => {
      // Starts the thread for long tasks. If its task were aborted earlier, the start would continue.
      await app.inject(`${path}?snapshots=50&grid=10&examples=${examples}`);
      const socket = await ask(url);
      const thread = await busyThread(threads);
      const alive = [...threads];
      socket.destroy();
      await once(thread, 'exit');
      assert.deepEqual(
        alive.filter((each) => !threads.has(each)),
        [thread],
      );
    });
  }

  test('get it when another of them disconnects', async () => {
    const url = `${evaluation}?split=train`;
    const socket = await ask(url);
    const other = app.inject(url);
    const thread = await busyThread(threads);
    socket.destroy();
    assert.equal((await other).statusCode, 200);
    assert.ok(threads.has(thread));
    assert.deepEqual(logged, [], 'a disconnect is not an error');
  });
});
