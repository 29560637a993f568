/** Data sets and models of other shapes on several processes with one database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predictBytes, trainShaped } from '../http/shaped-models.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { IMAGE_SHAPES } from '../support/shaped-images.ts';
import { startService } from '../support/start-service.ts';

test('what one replica has received and trained, another one shows, predicts and evaluates', {
  skip: withoutPostgres,
}, async (t) => {
  const environment = { DATABASE_URL: await temporaryDatabase(t), TRAINING_WORKERS: '1' };
  const one = await startService(t, environment);
  const two = await startService(t, environment);
  for (const shape of IMAGE_SHAPES) {
    const { name, dataset, pixels, images } = await trainShaped(one.app, shape);
    const shown = await Promise.all([one, two].map(({ app }) => app.inject(`/v1/datasets/${dataset}`)));
    assert.equal(shown[1]!.body, shown[0]!.body);
    assert.deepEqual(shown[1]!.json().imageShape, shape);
    const version = (await two.app.inject(`/v1/models/${name}/versions/1`)).json();
    assert.deepEqual(version.inputShape, shape);
    const [first, other] = await Promise.all([one, two].map(({ app }) => predictBytes(app, name, pixels)));
    assert.equal(other!.statusCode, 200, other!.body);
    assert.equal(other!.body, first!.body);
    const evaluation = await two.app.inject(`/v1/models/${name}/versions/1/evaluation`);
    assert.equal(evaluation.json().examples, 20, evaluation.body);
    // The bytes of the data set, from the database.
    const image = await two.app.inject(`/v1/datasets/${dataset}/splits/test/images/0`);
    assert.equal(image.statusCode, 200, image.body);
    const sent = await two.app.inject({
      method: 'POST',
      url: `/v1/models/${name}/predictions`,
      headers: { 'content-type': 'image/png' },
      payload: image.rawPayload,
    });
    const own = await predictBytes(one.app, name, images[0]!);
    assert.equal(sent.body, own.body);
  }
});
