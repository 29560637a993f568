/** Promotion of trained versions, judged on validation images. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import type { AliasMove } from '../../../src/domain/models/alias.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import { startService, tiny, train } from '../../support/start-service.ts';

const { app } = await startService({ after }, { DATA_DIR });
/** Two steps. */
const short = { epochs: 1, batchSize: 1024, validation: { fraction: 0.98 } };
/** 94 steps. Two of them are enough to be better than two steps of 1024 images. */
const longer = { epochs: 1, validation: { fraction: 0.9 } };

async function champion(modelName: string): Promise<number> {
  const response = await app.inject(`/v1/models/${modelName}/aliases/champion`);
  return response.json<{ version: number }>().version;
}

test('if-better promotes a version that is better on images held out from both', async () => {
  const modelName = 'judged';
  const first = await train(app, tiny({ modelName, training: short }));
  assert.deepEqual(first.publication, {
    version: 1,
    promoted: true,
    testAccuracy: first.best!.testAccuracy,
    reason: 'It is the first version of model judged.',
    comparison: null,
  });
  const publish = { promote: 'if-better', evenIfNotLearned: true } as const;
  const better = await train(app, tiny({ modelName, network: {}, training: longer, publish }));
  const { promoted, reason, comparison } = better.publication!;
  assert.equal(promoted, true, reason);
  // 0.9 of each class is part of 0.98 of it, because the seed is the same.
  assert.deepEqual([comparison?.champion, comparison?.examples, comparison?.verdict], [1, 54_000, 'better']);
  assert.equal(comparison?.accuracy.version, better.latest?.validationAccuracy);
  assert.ok(comparison!.mcnemar.pValue < 0.05);
  assert.match(
    reason,
    /^The new version is significantly better than the champion, version 1: of 54,000 validation images .* so it replaces it\.$/,
  );
  assert.equal(await champion(modelName), 2);
  const aliases = await app.inject(`/v1/models/${modelName}/aliases`);
  const [move] = aliases.json<{ history: { data: AliasMove[] } }>().history.data;
  assert.deepEqual(move?.promotion, { jobId: better.id, reason, comparison });

  const worse = await train(app, tiny({ modelName, seed: 5, training: short, publish }));
  assert.equal(worse.publication?.promoted, false);
  assert.deepEqual([worse.publication?.comparison?.verdict, await champion(modelName)], ['worse', 2]);
  // Of 54,000 and 58,800 held out independently, 52,920 are expected in both.
  assert.ok(Math.abs(worse.publication!.comparison!.examples - 52_920) < 200);
  const events = await app.inject(`/v1/training-jobs/${worse.id}/events?limit=100`);
  const last = events.json<{ data: JobEvent[] }>().data.at(-1);
  assert.deepEqual(last?.data['publication'], worse.publication);

  const again = await train(app, tiny({ modelName, network: {}, training: longer, publish }));
  assert.deepEqual(
    [again.publication?.promoted, again.publication?.comparison?.verdict, again.digest],
    [false, 'no-difference', better.digest],
  );
});

test('versions that have no validation image in common are not compared', async () => {
  const modelName = 'incomparable';
  const training = { epochs: 1, batchSize: 1024, validation: null };
  await train(app, tiny({ modelName, training }));
  const publish = { promote: 'if-better', evenIfNotLearned: true } as const;
  const { publication } = await train(app, tiny({ modelName, publish }));
  assert.deepEqual([publication?.promoted, publication?.comparison], [false, null]);
  assert.match(
    publication!.reason,
    /version 1 of model incomparable, .* no image was held out for validation/,
  );

  const file = await app.inject('/v1/models/incomparable/versions/1/export?format=safetensors');
  const form = new FormData();
  form.append('name', 'imported');
  form.append('file', new Blob([new Uint8Array(file.rawPayload)]));
  const encoded = new Response(form);
  const imported = await app.inject({
    method: 'POST',
    url: '/v1/models',
    headers: { 'content-type': encoded.headers.get('content-type')! },
    payload: Buffer.from(await encoded.arrayBuffer()),
  });
  assert.deepEqual(imported.json<{ aliases: string[] }>().aliases, ['champion']);
  const after = await train(app, tiny({ modelName: 'imported', publish }));
  assert.match(
    after.publication!.reason,
    /it was imported, so the images that it was trained on are unknown/,
  );
});

test('images that a teacher was trained on are not held out from its student', async () => {
  const modelName = 'taught';
  await train(app, tiny({ modelName }));
  const all = { epochs: 1, batchSize: 1024, validation: null };
  await train(app, tiny({ modelName: 'teacher', training: all }));
  const publish = { promote: 'if-better', evenIfNotLearned: true } as const;
  const training = { ...longer, distillation: { teachers: ['teacher'] } };
  const { publication, ...job } = await train(app, tiny({ modelName, network: {}, training, publish }));
  assert.equal(job.status, 'succeeded', job.error?.message);
  assert.deepEqual([publication?.promoted, publication?.comparison], [false, null]);
  assert.match(publication!.reason, /no image was held out for validation/);
});

test('a training that does not learn publishes nothing unless its job requests it', async () => {
  // At η λ = 1 every step removes all weights, so all images get the same class.
  const optimizer = { type: 'sgd', learningRate: 0.01 } as const;
  const training = { epochs: 1, batchSize: 1024, l2: 100, validation: { fraction: 0.98 }, optimizer };
  const idle = await train(app, tiny({ modelName: 'idle', training, publish: {} }));
  assert.deepEqual([idle.status, idle.model, idle.publication?.version], ['succeeded', null, null]);
  assert.match(
    idle.publication!.reason,
    /^The training did not learn, so no model is published: the validation accuracy of epoch 1 is 10\.00 %, .* right for 10\.00 %; with 58,800 images, more than 10\.25 % shows .*evenIfNotLearned/,
  );
  const response = await app.inject(`/v1/training-jobs/${idle.id}/events?limit=100`);
  const warning = response.json<{ data: JobEvent[] }>().data.find(({ type }) => type === 'warning');
  assert.ok(warning, response.body);
  assert.equal((await app.inject('/v1/models/idle')).statusCode, 404);
  const forced = await train(app, tiny({ modelName: 'idle', training }));
  assert.deepEqual(forced.model, { name: 'idle', version: 1 });
});

test('only a key that may promote lets a job move the champion', async (t) => {
  const entry = (scope: string) => `${scope}:${scope}:${createHash('sha256').update(scope).digest('hex')}`;
  const service = await startService(t, { DATA_DIR, API_KEYS: `${entry('train')},${entry('promote')}` });
  const start = (key: string, promote: string) =>
    service.app.inject({
      method: 'POST',
      url: '/v1/training-jobs',
      headers: { authorization: `Bearer ${key}` },
      payload: { ...tiny(), publish: { promote } },
    });
  const rejected = await start('train', 'if-better');
  assert.equal(rejected.statusCode, 403);
  assert.match(rejected.json<{ detail: string }>().detail, /needs the scope promote/);
  assert.equal((await start('train', 'never')).statusCode, 202);
  assert.equal((await start('promote', 'always')).statusCode, 202);
});
