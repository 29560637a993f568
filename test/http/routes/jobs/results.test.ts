import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { epochRecordSchema } from '../../../../src/domain/jobs/epoch-record.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  queueJob,
  startService,
  tiny,
  train,
} from '../../../support/start-service.ts';

const { app } = await startService({ after }, { TRAINING_WORKERS: '1' });

test('metrics are equal as JSON and CSV', async () => {
  const training = { epochs: 2, batchSize: 1024, validation: { fraction: 0.8 } };
  const bodies = [
    tiny({ network: { hidden: [6, 4] }, training }),
    tiny({ network: { hidden: [] }, training: { ...training, validation: null } }),
  ];
  for (const body of bodies) {
    const { id } = await train(app, body);
    const { data } = (await app.inject(`/v1/training-jobs/${id}/metrics`)).json();
    assert.equal(data.length, 2);
    const response = await app.inject({
      url: `/v1/training-jobs/${id}/metrics`,
      headers: { accept: 'text/csv' },
    });
    assert.equal(response.headers['content-type'], 'text/csv; charset=utf-8');
    const [header, ...rows] = response.body.split('\r\n');
    assert.deepEqual(header!.split(','), Object.keys(epochRecordSchema.shape));
    assert.equal(rows.pop(), '', 'the last line ends too');
    const read = rows.map((row) =>
      Object.fromEntries(
        row.split(',').map((cell, column) => {
          const name = header!.split(',')[column]!;
          if (name === 'deadUnits') return [name, cell === '' ? [] : cell.split(' ').map(Number)];
          return [name, cell === '' ? null : Number(cell)];
        }),
      ),
    );
    assert.deepEqual(read, data);
  }
});

test('a job without finished epochs has no metrics, and a CSV with the header only', async () => {
  const running = await queueJob(app, endless);
  const { id } = await queueJob(app);
  for (const each of [id, running.id]) await cancelJob(app, each);
  assert.deepEqual((await app.inject(`/v1/training-jobs/${id}/metrics`)).json(), { data: [] });
  const csv = await app.inject({ url: `/v1/training-jobs/${id}/metrics`, headers: { accept: 'text/csv' } });
  assert.match(csv.body, /^epoch,trainLoss,[^\n]*evaluationMs\r\n$/);
  const other = await app.inject({
    url: `/v1/training-jobs/${id}/metrics`,
    headers: { accept: 'text/html' },
  });
  assertProblem(other, 406, 'not-acceptable');
});
