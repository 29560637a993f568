/** The comparison of jobs in a browser. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { cancelJob, endless, isUnderway, queueJob, tiny, train, untilJob } from '../support/start-service.ts';
import { openPage, options, pressByKeyboard, startPageService } from './page.ts';

const service = options.skip ? null : await startPageService({ after });
const { app, url } = service ?? { app: null!, url: '' };

const HOSTILE = '<img src=x onerror=alert(1)>';
const compareRoute = (...jobs: readonly Pick<TrainingJob, 'id'>[]) =>
  `#/compare?${jobs.map(({ id }) => id).join(',')}`;

test('overlays the curves, lists only the options that differ, and tests the models', options, async (t) => {
  const base = tiny({ modelName: 'compared', testSet: 'once' });
  const one = await train(app, { ...base, seed: 1 });
  const other = await train(app, { ...base, seed: 2, metadata: { note: HOSTILE } });
  const page = await openPage(t, url, { path: compareRoute(one, other) });
  const differing = page.getByRole('region', { name: 'Options that differ' }).last();
  await differing.waitFor();
  assert.deepEqual(await differing.locator('tbody tr td:first-child').allTextContents(), [
    'Seed',
    'Metadata: note',
  ]);
  await differing.getByRole('cell', { name: HOSTILE }).waitFor();
  assert.equal(await page.locator('img').count(), 0);
  const tested = page
    .getByRole('row', { name: 'Test accuracy' })
    .getByRole('cell', { name: /^\d+\.\d\d %$/ });
  assert.equal(await tested.count(), 2);
  const lines = page.locator('figure svg > g[fill=none]');
  assert.equal(await lines.count(), 2);
  await page.getByLabel('Measure').selectOption('weight-norm');
  await page.getByText('Norm of the weights by epoch').first().waitFor({ state: 'attached' });
  await pressByKeyboard(page, 'Test on the same images');
  await page.getByText(/^compared@1 (does not differ|is significantly).*McNemar's test/).waitFor();
  await page.getByRole('cell', { name: 'Ankle boot' }).waitFor();
});

test('follows jobs that run, and shows the rest if one is missing', options, async (t) => {
  const running = await queueJob(app, endless);
  await untilJob(app, running.id, isUnderway);
  const missing = { id: 'job_00000000000000000000000000' };
  const page = await openPage(t, url, {
    path: compareRoute(running, missing),
    width: 360,
    colorScheme: 'dark',
    expected: /status of 404/,
  });
  await page.getByText('training-job-not-found').waitFor();
  await page.getByRole('cell', { name: 'running' }).waitFor();
  await cancelJob(app, running.id);
  await page.getByRole('cell', { name: 'cancelled' }).waitFor();
});

test('without jobs, leads to the list', options, async (t) => {
  const page = await openPage(t, url, { path: '#/compare' });
  await page.getByRole('link', { name: 'Show the jobs' }).click();
  await page.waitForURL(/#\/jobs$/);
});
