import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { datasetSchema } from '../../src/domain/datasets/representation.ts';
import { DIGIT_NAMES, digits } from '../datasets/upload/fixtures.ts';
import { upload } from '../http/upload.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { postgresBinaries } from '../support/servers/postgres-server.ts';
import { CREDENTIALS, startS3 } from '../support/servers/s3-server.ts';
import {
  addCleanup,
  assertProblem,
  hasEnded,
  isUnderway,
  queueJob,
  startService,
  temporaryDirectory,
  testImage,
  tiny,
  train,
  untilJob,
} from '../support/start-service.ts';

test('replicas with a bucket share data sets and models, and an outage of the bucket ends no job', {
  skip: withoutPostgres,
}, async (t) => {
  const s3 = await startS3();
  addCleanup(t, s3.close);
  const environment = {
    DATA_DIR,
    DATABASE_URL: await temporaryDatabase(t),
    BLOB_URL: s3.url,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
    AWS_REGION: CREDENTIALS.region,
  };
  const worker = await startService(t, environment);
  const api = await startService(t, { ...environment, ROLE: 'api' });

  const response = await upload(api.app, { classNames: JSON.stringify(DIGIT_NAMES), file: digits });
  assert.equal(response.statusCode, 201, response.body);
  const { id: dataset } = datasetSchema.parse(response.json());
  const trained = await train(api.app, {
    dataset,
    modelName: 'digits',
    training: { epochs: 2, batchSize: 16 },
  });
  assert.equal(trained.status, 'succeeded', JSON.stringify(trained.error));
  assert.ok(s3.objects.size >= 2);

  const image = await testImage(api.app, 0);
  const predict = ({ app }: typeof api) =>
    app.inject({
      method: 'POST',
      url: '/v1/models/digits/predictions',
      headers: { 'content-type': 'application/octet-stream' },
      payload: image,
    });
  const [here, there] = [await predict(api), await predict(worker)];
  assert.equal(here.statusCode, 200, here.body);
  assert.deepEqual(here.json(), there.json());

  const body = tiny({
    seed: 7,
    network: { hidden: [8] },
    training: { epochs: 40, batchSize: 16, validation: { fraction: 0.95 }, checkpointEverySeconds: 1 },
  });
  const undisturbed = await train(api.app, { ...body, modelName: 'undisturbed' });
  const { id } = await queueJob(api.app, { ...body, modelName: 'disturbed' });
  await untilJob(api.app, id, isUnderway);
  let failed = 0;
  const outage = Promise.withResolvers<void>();
  // Two writes fail after all their attempts.
  s3.fails = ({ method }) => {
    if (method === 'PUT' && ++failed === 10) outage.resolve();
    return 503;
  };
  await outage.promise;
  assert.equal((await predict(api)).statusCode, 200);
  assertProblem(await upload(api.app, { file: digits }), 503, 'storage-unavailable');
  s3.fails = () => undefined;
  const disturbed = await untilJob(api.app, id, hasEnded);
  assert.deepEqual([disturbed.status, disturbed.digest], ['succeeded', undisturbed.digest]);

  // A start does not wait until the bucket delivers the newest model, which is loaded when it does.
  const responds = Promise.withResolvers<undefined>();
  s3.fails = ({ name }) => (s3.objects.has(name) ? responds.promise : undefined);
  const late = await startService(t, { ...environment, ROLE: 'api' });
  responds.resolve(undefined);
  const metrics = async () => (await late.app.inject('/metrics')).body;
  while (!/^atelier_model_cache_models 1$/m.test(await metrics())) await wait(20);
});

test('a dump of the database and a copy of the bucket are a backup', { skip: withoutPostgres }, async (t) => {
  const [from, to] = [await startS3(), await startS3()];
  addCleanup(t, from.close);
  addCleanup(t, to.close);
  const [original, restored] = [await temporaryDatabase(t), await temporaryDatabase(t)];
  const settings = (DATABASE_URL: string, BLOB_URL: string) => ({
    DATABASE_URL,
    BLOB_URL,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
    AWS_REGION: CREDENTIALS.region,
  });
  const first = await startService(t, settings(original, from.url));
  const response = await upload(first.app, { classNames: JSON.stringify(DIGIT_NAMES), file: digits });
  const { id: dataset } = datasetSchema.parse(response.json());
  await train(first.app, { dataset, modelName: 'digits', training: { epochs: 2, batchSize: 16 } });

  const dump = join(await temporaryDirectory(t), 'atelier.dump');
  const call = (name: string, ...args: string[]) =>
    promisify(execFile)(join(postgresBinaries()!, name), args);
  await call('pg_dump', '--format=custom', `--file=${dump}`, original);
  for (const [name, object] of from.objects) to.objects.set(name, object);
  await first.close();
  await call('pg_restore', '--exit-on-error', `--dbname=${restored}`, dump);

  const second = await startService(t, settings(restored, to.url));
  const exported = await second.app.inject('/v1/models/digits/versions/1/export?format=json');
  assert.equal(exported.statusCode, 200, exported.body);
  const again = await train(second.app, {
    dataset,
    modelName: 'digits',
    training: { epochs: 2, batchSize: 16 },
  });
  assert.equal(again.model?.version, 2, JSON.stringify(again.error));
});
