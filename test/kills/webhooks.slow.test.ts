import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { WebhookMessage } from '../../src/domain/jobs/webhook-message.ts';
import { createWebhookDelivery } from '../../src/services/webhooks/deliver.ts';
import { request, untouched } from '../store/fixtures.ts';
import { openTwoStores } from '../store/postgres/two-stores.ts';
import { withoutPostgres } from '../support/servers/postgres.ts';
import { startReceiver } from '../support/servers/webhook-receiver.ts';
import { requestJson, serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory, tiny } from '../support/start-service.ts';

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

test('a message whose sender was killed is sent again with the same id after the restart', async (t) => {
  const receiver = await startReceiver(t, (response, n) => void (n > 1 && response.writeHead(204).end()));
  const stateDir = await temporaryDirectory(t);
  const environment = { WEBHOOK_ORIGINS: receiver.origin, LOG_LEVEL: 'trace' };
  const killed = startProcess(t, stateDir, { ...environment, NODE_V8_COVERAGE: '' });
  const body = tiny({ notify: { url: `${receiver.origin}/?token=t0p`, secret } });
  const { id } = await requestJson<TrainingJob>(`${await serviceAddress(killed)}/v1/training-jobs`, body);
  await receiver.until(1);
  killed.child.kill('SIGKILL');
  await killed.exited;

  const next = startProcess(t, stateDir, environment);
  const address = await serviceAddress(next);
  const received = await receiver.until(2);
  for (const { headers, body } of received) {
    const message = new Webhook(secret).verify(body, headers as Record<string, string>) as WebhookMessage;
    assert.deepEqual([message.type, message.data.id], ['training-job.succeeded', id]);
  }
  assert.equal(received[0]!.headers['webhook-id'], received[1]!.headers['webhook-id']);
  next.child.kill('SIGTERM');
  await next.exited;
  assert.doesNotMatch(killed.output() + next.output(), /whsec|t0p/);
  assert.ok(address);
});

test('of several processes on one database, one sends each message', { skip: withoutPostgres }, async (t) => {
  const { stores } = await openTwoStores(t);
  const receiver = await startReceiver(t);
  const results: string[] = [];
  const jobs = 40;
  const delivered = Promise.withResolvers<void>();
  const deliveries = stores.map((store) =>
    createWebhookDelivery({
      store,
      origins: [receiver.origin],
      allowed: new BlockList(),
      onResult(result) {
        if (results.push(result) === jobs) delivered.resolve();
      },
      log: { warn: (details) => assert.fail(JSON.stringify(details)) },
      onDefect: assert.ifError,
    }),
  );
  for (let n = 0; n < jobs; n++) {
    const store = stores[n % 2]!;
    const { id } = await store.jobs.create(request(), untouched, {
      notify: { url: receiver.origin, secret },
    });
    await store.jobs.requestCancel(id);
  }
  for (const { start } of deliveries) start();
  await delivered.promise;
  for (const { close } of deliveries) await close();
  const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
  assert.deepEqual([ids.length, new Set(ids).size], [jobs, jobs]);
});
