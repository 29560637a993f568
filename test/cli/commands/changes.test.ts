import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printed, problem, serveAnswers } from './answers.ts';

test('a change of a job, a search or a prediction job prints its status, and is not repeated after an error', async (t) => {
  const { atelier, requests } = await serveAnswers(t, {
    'POST /v1/training-jobs/job_1/cancel': { status: 'cancelling' },
    'POST /v1/searches/sea_1/pause': { status: 'pausing' },
    'POST /v1/prediction-jobs/prd_1/resume': { status: 'queued' },
    'POST /v1/training-jobs/job_2/pause': problem(502, 'lost', 'The connection was lost.'),
    'DELETE /v1/training-jobs/job_2': problem(502, 'lost', 'The connection was lost.'),
  });
  assert.equal(await printed(atelier('cancel', 'job_1')), 'The job is cancelling.\n');
  assert.equal(await printed(atelier('pause', 'sea_1')), 'The search is pausing.\n');
  assert.equal(await printed(atelier('resume', 'prd_1')), 'The prediction job is queued.\n');
  assert.equal((await atelier('pause', 'job_2')).code, 1);
  assert.equal((await atelier('delete', 'job_2')).code, 1);
  assert.equal(requests.length, 5);
});

test('delete names what it has deleted, and deletes a whole model only if this is meant', async (t) => {
  const empty = { status: 204, headers: {}, body: '' };
  const { atelier, requests } = await serveAnswers(t, {
    'DELETE /v1/datasets/dst_1': empty,
    'DELETE /v1/models/dst_1': empty,
    'DELETE /v1/models/dst_1/versions/1': empty,
    'DELETE /v1/models/dst_1/aliases/best': empty,
  });
  for (const [args, noun] of [
    [['dst_1'], 'data set dst_1'],
    [['dst_1@1'], 'version dst_1@1'],
    [['dst_1', '--all-versions'], 'model dst_1'],
    [['dst_1', '--alias', 'best'], 'alias best of dst_1'],
  ] as const) {
    assert.equal(await printed(atelier('delete', ...args)), `Deleted the ${noun}.\n`);
  }
  assert.equal(
    await printed(atelier('delete', 'dst_1', '--json')),
    '{"deleted":"dst_1","noun":"data set"}\n',
  );
  const { code, stderr } = await atelier('delete', 'digits');
  assert.deepEqual([code, requests.length], [2, 5]);
  assert.match(stderr, /^"digits" means a whole model\. /);
});
