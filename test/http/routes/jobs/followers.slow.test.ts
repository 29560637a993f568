/** Many readers of the events of one job, and Node's EventSource as a process. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { type JobEvent, jobEventSchema } from '../../../../src/domain/jobs/training.ts';
import { DATA_DIR } from '../../../support/data-directory.ts';
import { hasEnded, queueJob, startService, tiny, untilJob } from '../../../support/start-service.ts';
import { openStream } from '../../read-events.ts';

const { app } = await startService({ after }, { DATA_DIR });
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;
const eventsOf = (id: string) => `http://127.0.0.1:${port}/v1/training-jobs/${id}/events`;

/** A job with about twenty events. */
const eventful = tiny({ training: { epochs: 16, batchSize: 256, validation: { fraction: 0.98 } } });

async function listed(id: string): Promise<JobEvent[]> {
  return (await app.inject(`/v1/training-jobs/${id}/events`)).json().data;
}

test('50 followers that connect at different times get the same events', async () => {
  const { id } = await queueJob(app, eventful);
  const followers: Promise<JobEvent[]>[] = [];
  for (let n = 0; n < 50; n++) {
    const { events } = await openStream(`${eventsOf(id)}?after=${n % 2}`);
    followers.push(Array.fromAsync(events()));
  }
  const all = await listed(id).then(async () => Promise.all(followers));
  const expected = await listed(id);
  assert.ok(hasEnded(await untilJob(app, id, hasEnded)));
  for (const [n, seen] of all.entries()) assert.deepEqual(seen, expected.slice(n % 2));
});

test("Node's EventSource follows a job to its end, reconnects, and gets 204", async (t) => {
  const { id } = await queueJob(app, eventful);
  const script = join(import.meta.dirname, '../../children/event-source.ts');
  const client = spawn(process.execPath, ['--experimental-eventsource', script, eventsOf(id)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => client.kill());
  const ended = once(client, 'close');
  const lines = await Array.fromAsync(createInterface({ input: client.stdout }), (line) => JSON.parse(line));
  assert.deepEqual(await ended, [0, null]);
  const events = lines.filter((line) => 'id' in line);
  assert.deepEqual(
    events.map(({ data }) => jobEventSchema.strict().parse(data)),
    await listed(id),
  );
  for (const { type, id: lastId, data } of events)
    assert.deepEqual([type, lastId], [data.type, String(data.id)]);
  // The client reconnects once, then closes the connection.
  assert.deepEqual(lines.slice(events.length), [{ readyState: 0 }, { readyState: 2 }]);
});
