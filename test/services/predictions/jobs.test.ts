import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createPredictionJobService } from '../../../src/services/predictions/jobs.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { publish, temporaryStore } from '../../store/fixtures.ts';

test('a result whose job is deleted while its files are copied does not exist', async (t) => {
  const store = await temporaryStore(t);
  const { predictionJobs, temporaryFiles } = store;
  await publish(store, 'shoes');
  const newFile = async () => {
    const path = temporaryFiles.newFile();
    await writeFile(path, 'content');
    return path;
  };
  const model = { name: 'shoes', version: 1 };
  const { id } = await predictionJobs.create(
    { model, classNames: ['cat', 'dog'], source: { pixels: '0-1' }, images: 1, coverage: null },
    { input: await newFile(), queueLimit: 1 },
  );
  const run = await predictionJobs.start(id);
  const files = { probabilities: await newFile(), labels: null, judgements: null };
  await run!.succeed(files, { classes: [1, 0], correct: null, unsure: null });
  const unused = {} as never;
  const service = createPredictionJobService({
    store: {
      temporaryFiles,
      predictionJobs: {
        ...predictionJobs,
        async copyFile(digest, path) {
          await predictionJobs.remove(id);
          return predictionJobs.copyFile(digest, path);
        },
      },
    },
    catalog: unused,
    models: unused,
    calibrations: unused,
    queue: unused,
    memory: unused,
    checks: unused,
    numeric: unused,
    waits: createWaits('memory'),
    queueLimit: 1,
    maxBytes: 1,
  });
  await assert.rejects(
    service.result(id, 'npy', false, new AbortController().signal),
    isAtelierError('prediction-job-not-found', /does not exist/),
  );
});
