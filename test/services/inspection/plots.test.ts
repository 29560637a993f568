import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { jobPlotQuerySchema } from '../../../src/domain/reports/plots.ts';
import { createPlotService } from '../../../src/services/inspection/plots.ts';
import { epochRecords } from '../../charts/samples.ts';
import { request } from '../../store/fixtures.ts';

const { signal } = new AbortController();
const jobOf = (id: string, status: TrainingJob['status'] = 'succeeded') =>
  ({ ...request('digits'), id, status }) as unknown as TrainingJob;

/** A service with these jobs, and what it has asked for. */
function serviceOf(jobs: readonly TrainingJob[], lastEpochs: Readonly<Record<string, number>> = {}) {
  const asked: unknown[] = [];
  const lastEpoch = async (id: string) => lastEpochs[id] ?? 4;
  const training = {
    get: async (id: string) => jobs.find((job) => job.id === id)!,
    async getMany(ids: readonly string[]) {
      asked.push(ids);
      return jobs.filter(({ id }) => ids.includes(id));
    },
    async metrics(id: string, after: number) {
      asked.push([id, after]);
      return epochRecords(await lastEpoch(id)).slice(after);
    },
    lastEpoch,
  };
  const numeric = {
    async run(...task: unknown[]) {
      asked.push(task);
      return new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
    },
  };
  type Options = Parameters<typeof createPlotService>;
  const service = createPlotService(
    training as unknown as Options[0],
    {} as Options[1],
    {} as Options[2],
    numeric as unknown as Options[3],
  );
  return { service, asked };
}
const query = (options: object = {}) => jobPlotQuerySchema.parse(options);

test('a plot has each of its jobs once, and never changes once all have ended', async () => {
  const jobs = [jobOf('job_1'), jobOf('job_2'), jobOf('job_3', 'running')];
  const { service, asked } = serviceOf(jobs, { job_2: 7 });
  const ended = await service.findJobs('job_1', { ...query(), with: 'job_2,job_1,job_2' });
  assert.deepEqual([ended.jobs, ended.epochs, ended.isFinal], [[jobs[0], jobs[1]], [4, 7], true]);
  assert.deepEqual(asked, [['job_2']]);
  const running = await service.findJobs('job_1', { ...query(), with: 'job_3' });
  assert.equal(running.isFinal, false);
  assert.deepEqual((await service.findJobs('job_1', query())).jobs, [jobs[0]]);
});

test('a job that does not exist or has no epoch cannot be drawn', async () => {
  const { service } = serviceOf([jobOf('job_1'), jobOf('job_2', 'running')], { job_1: 0 });
  const failure = (message: string, parameter: string, detail: string) => ({
    code: 'impossible-request',
    message,
    details: [{ parameter, detail }],
  });
  const rule = 'must be a training job with at least one epoch';
  const ended = 'Training job job_1 is succeeded and has not completed an epoch. It has nothing to draw.';
  await assert.rejects(service.findJobs('job_1', query()), failure(ended, 'id', rule));
  const withOther = { ...query(), with: 'job_1' };
  await assert.rejects(service.findJobs('job_2', withOther), failure(ended, 'with', rule));
  await assert.rejects(
    service.findJobs('job_2', { ...query(), with: 'job_9' }),
    failure(
      'Training job job_9, listed by the parameter with, does not exist.',
      'with',
      'must be existing training jobs',
    ),
  );
  const waiting = serviceOf([jobOf('job_2', 'running')], { job_2: 0 }).service;
  await assert.rejects(
    waiting.findJobs('job_2', query()),
    failure(
      'Training job job_2 is running and has not completed an epoch. Try again after its first epoch.',
      'id',
      rule,
    ),
  );
});

test('only the epochs that are drawn are read', async () => {
  const { service, asked } = serviceOf([jobOf('job_1')]);
  const found = await service.findJobs('job_1', query());
  asked.length = 0;
  await service.drawJobs('loss', found, query());
  await service.drawJobs('loss', found, query({ last: '3' }));
  assert.deepEqual(asked, [
    ['job_1', 0],
    ['job_1', 1],
  ]);
});

test('a PNG has at most sixteen million pixels', async () => {
  const { service, asked } = serviceOf([]);
  const plot = { svg: '<svg/>', width: 2000, height: 2000 };
  assert.deepEqual([...(await service.toPng(plot, 2, signal))], [1, 2]);
  assert.deepEqual(asked, [['drawPlot', { ...plot, density: 2 }, signal]]);
  await assert.rejects(service.toPng({ ...plot, width: 2001 }, 2, signal), {
    code: 'impossible-request',
    message:
      'A PNG of 4002 × 4000 pixels is too large: at most 16,000,000 pixels are drawn. Use a smaller density.',
    details: [{ parameter: 'density', detail: 'width × height × density² must be at most 16,000,000' }],
  });
});
