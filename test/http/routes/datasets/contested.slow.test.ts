import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { small } from '../../../datasets/upload/fixtures.ts';
import { assertProblem, startService, tiny, untilJob } from '../../../support/start-service.ts';
import { upload } from '../../upload.ts';

const { app } = await startService({ after }, {});

test('of a deletion and a concurrent job on the data set, exactly one is accepted', async () => {
  const form = { ...small(16, 4), name: 'contested' };
  const { id } = (await upload(app, form)).json();
  const remove = () => app.inject({ method: 'DELETE', url: `/v1/datasets/${id}` });
  const start = () =>
    app.inject({ method: 'POST', url: '/v1/training-jobs', payload: tinyOn(id, 'contested') });
  let deletions = 0;
  for (let n = 0; n < 24; n++) {
    const [started, removed] = await Promise.all([
      wait(n % 3).then(start),
      wait(Math.floor(n / 3) % 3).then(remove),
    ]);
    if (started.statusCode === 202) {
      assertProblem(removed, 409, 'dataset-in-use');
      const { status, error } = await untilJob(
        app,
        started.json().id,
        ({ finishedAt }) => finishedAt !== null,
      );
      assert.equal(status, 'succeeded', JSON.stringify(error));
    } else {
      assertProblem(started, 422, 'unknown-dataset', '#/dataset');
      assert.equal(removed.statusCode, 204, removed.body);
      deletions += 1;
      assert.equal((await upload(app, form)).json().id, id);
    }
  }
  assert.ok(deletions > 0, 'no deletion came first');
  assert.equal((await remove()).statusCode, 204);
});

const tinyOn = (dataset: string, modelName: string) =>
  tiny({ dataset, modelName, training: { epochs: 1, batchSize: 4, validation: null } });
