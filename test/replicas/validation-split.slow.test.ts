/** A data set with a validation split, backed up, restored and moved to a database that processes share. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { upload } from '../http/upload.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { shapedImages } from '../support/shaped-images.ts';
import { INHERITED } from '../support/start-process.ts';
import { startService, temporaryDirectory, tiny, train } from '../support/start-service.ts';

const COMMANDS = join(import.meta.dirname, '../../src/commands');

const run = (stateDir: string, command: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, [join(COMMANDS, `${command}.ts`), ...args], {
    env: { ...INHERITED, STATE_DIR: stateDir },
  });

test('a restored and moved data set keeps its validation split, and trains to the same parameters on any replica', {
  skip: withoutPostgres,
}, async (t) => {
  const [state, backup] = [await temporaryDirectory(t), join(await temporaryDirectory(t), 'copy')];
  const first = await startService(t, { STATE_DIR: state });
  const parts = { train: 60, val: 120, test: 20 };
  const form = Object.entries(parts).flatMap(([split, count]) => [
    [`${split}_images`, npyBytes(shapedImages([8, 8], count), [count, 8, 8])],
    [
      `${split}_labels`,
      npyBytes(
        Uint8Array.from({ length: count }, (_, n) => n % 2),
        [count],
      ),
    ],
  ]);
  const uploaded = await upload(first.app, Object.fromEntries(form));
  const { id, splits } = uploaded.json();
  const body = tiny({ dataset: id, modelName: 'm', training: { epochs: 2, batchSize: 16 } });
  const { digest } = await train(first.app, body);
  await first.close();

  await run(state, 'backup', backup);
  const restored = join(await temporaryDirectory(t), 'restored');
  await run(restored, 'restore', backup);
  const url = await temporaryDatabase(t, { collation: 'icu' });
  await run(restored, 'migrate-state', '--to', url);
  const environment = { DATABASE_URL: url, TRAINING_WORKERS: '1' };
  const [one, two] = [await startService(t, environment), await startService(t, environment)];
  for (const { app } of [one, two]) {
    const shown = (await app.inject(`/v1/datasets/${id}`)).json();
    assert.deepEqual([shown.splits.validation, shown.digest], [splits.validation, uploaded.json().digest]);
    const evaluated = await app.inject('/v1/models/m/versions/1/evaluation?split=validation');
    assert.equal(evaluated.json().examples, 120, evaluated.body);
    const job = await train(app, { ...body, modelName: 'again' });
    assert.deepEqual([job.digest, job.training.validation], [digest, { split: true }]);
  }
});
