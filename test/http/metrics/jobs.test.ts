import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { measureJobs, measureRunning } from '../../../src/http/metrics/jobs.ts';
import { parseSamples } from './samples.ts';

const scrape = async (registry: Registry) => Object.fromEntries(parseSamples(await registry.metrics()));

test('changes of jobs are counted by their result', async () => {
  const registry = new Registry();
  const jobs = measureJobs(registry, { queueLimit: 100, waitingForStorage: () => 2 });
  for (const status of ['queued', 'running', 'succeeded', 'succeeded', 'failed'] as const)
    jobs.statusChanged(status);
  jobs.preempted();
  jobs.finishedEpoch(60_000);
  jobs.finishedEpoch(10);
  assert.deepEqual(await scrape(registry), {
    'atelier_jobs_waiting_for_storage{}': 2,
    'atelier_queue_limit{}': 100,
    'atelier_jobs_ended_total{result="succeeded"}': 2,
    'atelier_jobs_ended_total{result="failed"}': 1,
    'atelier_jobs_ended_total{result="cancelled"}': 0,
    'atelier_job_preemptions_total{}': 1,
    'atelier_training_epochs_total{}': 2,
    'atelier_training_images_total{}': 60_010,
  });
});

test('no job runs before the queues are built', async () => {
  const registry = new Registry();
  const watch = measureRunning(registry);
  const running = (training: number, prediction: number) => ({
    'atelier_running_jobs{kind="training"}': training,
    'atelier_running_jobs{kind="prediction"}': prediction,
  });
  assert.deepEqual(await scrape(registry), running(0, 0));
  watch({ training: { running: () => ['a', 'b'] }, prediction: { running: () => ['c'] } });
  assert.deepEqual(await scrape(registry), running(2, 1));
});
