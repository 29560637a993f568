import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../../../cli/command.ts';
import { ResponseError } from '../../../cli/errors.ts';
import { describeVersion, followJob } from '../../../cli/follow/job.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';

const JOB = {
  id: 'job_1',
  status: 'succeeded',
  training: { epochs: 2 },
  warnings: [{ message: 'Slow\u0007.' }],
  model: null,
  publication: null,
  best: null,
  error: null,
};

/** Follows a job that has these events, or whose events cannot be read. */
async function follow(job: object, events: readonly object[] | Error, interrupted = new AbortController()) {
  const [output, notes]: [string[], string[]] = [[], []];
  const client = {
    async attempt(path: string) {
      if (path !== '/v1/training-jobs/job_1/events') throw new Error('no model');
      if (events instanceof Error) throw events;
      const text = events.map((event, n) => `id: ${n}\ndata: ${JSON.stringify(event)}\n\n`).join('');
      return new Response(text);
    },
    json: async () => ({ ...JOB, ...job }),
  };
  const context = {
    client,
    json: false,
    interrupted: interrupted.signal,
    columns: null,
    write: (text: string) => output.push(text),
    note: (line: string) => notes.push(`${line}\n`),
  };
  const code = await followJob(context as unknown as Context, JOB as unknown as TrainingJob);
  return [code, output.join(''), notes.join('')];
}
const ended = (to: string) => [{ type: 'status', data: { to } }];
const warning = 'warning: Slow\uFFFD.\n';

test('prints what a job has published, and the accuracy of its best epoch', async () => {
  const best = { epoch: 2, testAccuracy: null, validationAccuracy: null, trainAccuracy: 0.5 };
  const model = { name: 'digits', version: 3 };
  const none = 'The job succeeded and published no model.';
  for (const [job, result] of [
    [{}, none],
    [{ best }, `${none} Best epoch: 2, with training accuracy 0.5000.`],
    [
      { best: { ...best, validationAccuracy: 0.25 } },
      `${none} Best epoch: 2, with validation accuracy 0.2500.`,
    ],
    [
      { best: { ...best, validationAccuracy: 0.25, testAccuracy: 0.125 }, model },
      'Published digits@3. Best epoch: 2, with test accuracy 0.1250.',
    ],
  ] as const) {
    const text = `status: succeeded\n${result}\n`;
    assert.deepEqual(await follow(job, ended('succeeded')), [0, text, warning]);
  }
  const publication = { testAccuracy: 0.75, warning: 'It did not learn.' };
  const [, , notes] = await follow({ publication }, ended('succeeded'));
  assert.equal(notes, `${warning}warning: It did not learn.\n`);
  const measured = publication as NonNullable<TrainingJob['publication']>;
  assert.equal(describeVersion(model, measured), 'digits@3, test accuracy 0.7500');
});

test('a job that did not succeed is noted with its error, and exits with 1', async () => {
  const error = { message: 'The loss is infinite.', code: 'diverged' };
  for (const [job, text] of [
    [{ status: 'failed', error }, 'The job failed: The loss is infinite. (diverged)\n'],
    [{ status: 'cancelled' }, 'The job was cancelled.\n'],
  ] as const) {
    const [code, stdout, stderr] = await follow(job, ended(job.status));
    assert.deepEqual([code, stdout, stderr], [1, `status: ${job.status}\n`, warning + text]);
  }
});

test('the result of a job whose events are deleted is still printed, and other errors are not hidden', async () => {
  const [code, stdout] = await follow({}, new ResponseError(410, null, null));
  assert.deepEqual([code, stdout], [0, 'The job succeeded and published no model.\n']);
  for (const error of [new ResponseError(404, null, null), new SyntaxError('a defect')]) {
    await assert.rejects(follow({}, error), error);
  }
});

test('an interruption leaves the job running, and names the command that cancels it', async () => {
  const interrupted = new AbortController();
  interrupted.abort();
  assert.deepEqual(await follow({}, new Error('interrupted'), interrupted), [
    130,
    '',
    'The job continues. Cancel it with: npx atelier cancel job_1\n',
  ]);
});
