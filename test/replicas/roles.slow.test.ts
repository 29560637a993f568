/** Replicas with different roles on one database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Problem } from '../../src/http/errors/problem.ts';
import { startCluster } from '../support/cluster.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { requestJson, untilServedJob } from '../support/start-process.ts';
import { endless, hasEnded, isUnderway, tiny } from '../support/start-service.ts';

test('replicas with ROLE=api serve and do not train, one with ROLE=worker trains and does not serve', {
  skip: withoutPostgres,
}, async (t) => {
  const cluster = await startCluster(t, await temporaryDatabase(t), 1, { ROLE: 'api' });
  const { base } = cluster.replicas[0]!;
  const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, tiny({ modelName: 'm' }));
  const metrics = await (await fetch(`${base}/metrics`)).text();
  assert.match(metrics, /^atelier_training_slots\{state="free"\} 0$/m);

  const worker = await cluster.add({ ROLE: 'worker' });
  const job = await untilServedJob(base, id, hasEnded);
  assert.equal(job.status, 'succeeded');
  assert.equal((await fetch(`${worker.base}/health/ready`)).status, 200);
  const rejected = await fetch(`${worker.base}/v1/models`);
  assert.equal(((await rejected.json()) as Problem).code, 'worker-replica');

  const running = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, endless);
  await untilServedJob(base, running.id, isUnderway);
  await worker.terminate();
  const released = await requestJson<TrainingJob>(`${base}/v1/training-jobs/${running.id}`);
  assert.equal(released.status, 'queued');
});
