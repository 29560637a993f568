import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveAnswers } from './answers.ts';

const JOB = {
  id: 'job_2',
  status: 'succeeded',
  training: { epochs: 1 },
  warnings: [],
  model: null,
  publication: null,
  best: null,
  error: null,
};
const ended = { id: 1, type: 'status', data: { to: 'succeeded' } };

/** Verifies a job whose repeat ends like this. */
async function verify(t: Parameters<typeof serveAnswers>[0], job: object, ...options: string[]) {
  const { atelier } = await serveAnswers(t, {
    'POST /v1/training-jobs/job_1/verify': JOB,
    'GET /v1/training-jobs/job_2/events': {
      status: 200,
      headers: {},
      body: `id: 1\ndata: ${JSON.stringify(ended)}\n\n`,
    },
    'GET /v1/training-jobs/job_2': { ...JOB, ...job },
  });
  return atelier('verify', 'job_1', ...options);
}

test('verify follows the second training, and exits with 0 only if its parameters are the same', async (t) => {
  const followed = 'job_2\nstatus: succeeded\nThe job succeeded and published no model.\n';
  assert.deepEqual(await verify(t, { verification: { agrees: true, sameKernel: true } }), {
    code: 0,
    stdout: `${followed}The parameters are those of job_1, bit for bit.\n`,
    stderr: '',
  });
  for (const [sameKernel, kernel] of [
    [true, 'the same'],
    [false, 'another one'],
  ] as const) {
    assert.deepEqual(await verify(t, { verification: { agrees: false, sameKernel } }), {
      code: 1,
      stdout: followed,
      stderr: `The parameters differ from those of job_1. The kernel is ${kernel}.\n`,
    });
  }
  const failed = await verify(t, { status: 'failed', verification: { agrees: true } });
  assert.deepEqual([failed.code, failed.stderr], [1, 'The job was failed.\n']);
});

test('verify prints with --json only the events and the job', async (t) => {
  const { code, stdout } = await verify(t, { verification: { agrees: true } }, '--json');
  const lines = stdout.trimEnd().split('\n');
  assert.equal(code, 0);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [ended, { ...JOB, verification: { agrees: true } }],
  );
});
