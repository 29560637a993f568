/** Gradient checks and warm starts of a model whose training diverged. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gradientCheckSchema } from '../../../src/domain/checks/gradient.ts';
import { startService, tiny, train } from '../../support/start-service.ts';

const { app } = await startService({ after });

test('gradient check and warm start reject a diverged model by name', async () => {
  // At η λ = 10⁴ every step multiplies the weights by −9999.
  const optimizer = { type: 'sgd', learningRate: 100, weightDecay: 100 } as const;
  const training = { epochs: 2, batchSize: 1024, validation: { fraction: 0.8 }, optimizer };
  const diverged = await train(app, tiny({ modelName: 'diverged', network: { hidden: [] }, training }));
  assert.equal(diverged.error?.code, 'loss-diverged');
  // The job publishes no model, but its last checkpoint can be used like one.
  const model = `${diverged.id}@${diverged.stoppedAt!.step}`;
  const payload = { model, coordinates: { sample: 200 } };
  const response = await app.inject({ method: 'POST', url: '/v1/gradient-checks', payload });
  const report = gradientCheckSchema.parse(response.json());
  assert.deepEqual([report.passed, report.reason], [false, 'parameters-too-large']);
  assert.match(report.advice!, /lower learning rate, or use another model/);
  const job = await train(app, tiny({ warmStart: model, network: { hidden: [] }, gradientCheck: true }));
  assert.deepEqual([job.status, job.error?.code], ['failed', 'gradient-check-failed']);
  assert.ok(job.error!.message.includes(report.advice!), job.error!.message);
  assert.equal(job.gradientCheckReport?.reason, 'parameters-too-large');
});
