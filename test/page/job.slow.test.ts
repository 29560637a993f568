/** The Job screen in a browser: live curves, actions, tabs, and the report. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Model } from '../../src/domain/models/representation.ts';
import { SMALL_DATA_DIR } from '../support/data-directory.ts';
import {
  endless,
  interruptible,
  isUnderway,
  queueJob,
  temporaryDirectory,
  tiny,
  train,
  untilJob,
} from '../support/start-service.ts';
import { openPage, options, pressByKeyboard, startPageService, untilStreamEnds } from './page.ts';

const service = options.skip ? null : await startPageService({ after }, { DATA_DIR: SMALL_DATA_DIR });
const { app, url } = service ?? { app: null!, url: '' };

const jobRoute = (id: string, tab = '') => `#/jobs/${id}${tab === '' ? '' : `?tab=${tab}`}`;
const status = (page: Page, text: string) => page.locator('.job-progress .status', { hasText: text });
const lastEpoch = async (page: Page) =>
  Number(await page.getByLabel('Epoch', { exact: true }).getAttribute('max'));

/** Epochs in the table under the first chart. */
async function drawnEpochs(page: Page): Promise<number[]> {
  await page.getByText('Numbers').first().click();
  const cells = page.locator('figure').first().locator('tbody tr td:first-child');
  await cells.first().waitFor();
  return (await cells.allTextContents()).map(Number);
}

test('draws each epoch while the job trains, and the cursor reads one out', options, async (t) => {
  const { id } = await queueJob(app, interruptible);
  const page = await openPage(t, url, { path: jobRoute(id) });
  await status(page, 'succeeded').waitFor();
  assert.match((await page.locator('.job-progress').textContent())!, /epoch 16\/16100 %/);
  assert.equal(await lastEpoch(page), 16);
  const dots = page.locator('figure').first().locator('path[stroke-linecap]').first();
  assert.equal((await dots.getAttribute('d'))!.match(/M/g)!.length, 16);
  assert.deepEqual(
    await drawnEpochs(page),
    Array.from({ length: 16 }, (_, i) => i + 1),
  );
  await page
    .locator('figcaption', { hasText: 'The test line represents 16 looks at the test set.' })
    .first()
    .waitFor();

  const cursor = page.getByLabel('Epoch', { exact: true });
  await cursor.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  const { latest } = await (await app.inject(`/v1/training-jobs/${id}`)).json<TrainingJob>();
  assert.match((await cursor.getAttribute('aria-valuetext'))!, /^Epoch 2: training loss \d/);
  await page.keyboard.press('End');
  const text = (await cursor.getAttribute('aria-valuetext'))!;
  assert.ok(text.includes(`training accuracy ${(100 * latest!.trainAccuracy).toFixed(2)} %`), text);
  await page.getByRole('link', { name: 'interrupted@1' }).waitFor();
});

test('pauses, resumes and cancels by keyboard', options, async (t) => {
  const { id } = await queueJob(app, endless);
  await untilJob(app, id, isUnderway);
  const page = await openPage(t, url, { path: jobRoute(id) });
  await pressByKeyboard(page, 'Pause');
  await status(page, 'paused').waitFor();
  await pressByKeyboard(page, 'Resume');
  await status(page, 'running').waitFor();
  await pressByKeyboard(page, 'Cancel');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await pressByKeyboard(page, 'Cancel');
  const streamEnds = untilStreamEnds(page);
  await pressByKeyboard(page, 'Cancel the job');
  await status(page, 'cancelled').waitFor();
  await streamEnds;
  await pressByKeyboard(page, 'Delete');
  await pressByKeyboard(page, 'Delete the job');
  await page.waitForURL(/#\/jobs$/);
  assert.equal((await app.inject(`/v1/training-jobs/${id}`)).statusCode, 404);
});

test('a changed priority is sent, and a rejected one has its error', options, async (t) => {
  const { id } = await queueJob(app, endless);
  const page = await openPage(t, url, { path: jobRoute(id) });
  await page.getByLabel('Priority').fill('3');
  await page.keyboard.press('Enter');
  const changed = await untilJob(app, id, ({ priority }) => priority === 3);
  assert.equal(changed.priority, 3);
  await app.inject({ method: 'POST', url: `/v1/training-jobs/${id}/cancel` });
  await status(page, 'cancelled').waitFor();
});

test('every tab has its content, at 360 px and in the dark', options, async (t) => {
  const job = await train(
    app,
    tiny({
      modelName: 'tabs',
      metadata: { '<img src=x onerror=alert(1)>': '<b>no</b>' },
      gradientCheck: true,
    }),
  );
  const page = await openPage(t, url, { path: jobRoute(job.id), width: 360, colorScheme: 'dark' });
  const tab = page.getByRole('tab', { selected: true });
  await tab.focus();
  for (const [name, content] of [
    ['Epochs', 'All 1 epochs as CSV'],
    ['Check', 'The gradient check before the training passed.'],
    ['Checkpoints', `${job.id}@${job.progress.steps}`],
    ['Path', 'The job is trained again from its receipt'],
    ['Request', '<img src=x onerror=alert(1)>'],
    ['Receipt', job.digest!],
  ] as const) {
    await page.keyboard.press('ArrowRight');
    assert.equal(await tab.textContent(), name);
    await page.getByRole('tabpanel').getByText(content).first().waitFor();
    // Tables; the other tabs have the same parts.
  }
  assert.equal(await page.locator('img').count(), 0);
  await page.reload();
  assert.equal(await tab.textContent(), 'Receipt');

  await page.getByRole('tab', { name: 'Check', exact: true }).click();
  await page.getByRole('button', { name: 'Check each block' }).click();
  await page
    .getByRole('cell', { name: 'W1 (4 × 784)' })
    .or(page.getByRole('cell', { name: 'W1 (784 × 4)' }))
    .waitFor();
  await page.getByRole('tab', { name: 'Path' }).click();
  await page.getByRole('button', { name: 'Compute the path' }).click();
  await page.locator('figure svg[role=img]').waitFor();
});

test('verifies a job, saves a report that opens offline, and trains again', options, async (t) => {
  const job = await train(app, tiny({ modelName: 'reported', seed: 7, testSet: 'once' }));
  const page = await openPage(t, url, { path: jobRoute(job.id) });
  const { testAccuracy } = job.publication!;
  await page.locator('dl.facts', { hasText: `Test accuracy${(100 * testAccuracy!).toFixed(2)} %` }).waitFor();
  const saving = page.waitForEvent('download');
  await page.getByRole('link', { name: 'HTML' }).click();
  const saved = await saving;
  assert.equal(saved.suggestedFilename(), `report-${job.id}.html`);
  const file = join(await temporaryDirectory(t), 'report.html');
  await saved.saveAs(file);
  assert.match(await readFile(file, 'utf8'), /^<!doctype html>/i);
  const offline = await page.context().browser()!.newContext({ offline: true });
  const report = await offline.newPage();
  const requested: string[] = [];
  report.on('request', (request) => requested.push(request.url()));
  await report.goto(pathToFileURL(file).href);
  await report.getByRole('heading', { level: 1 }).waitFor();
  assert.deepEqual(
    requested.filter((address) => !/^(file|data):/.test(address)),
    [],
  );
  await offline.close();

  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByText('Verified: the repetition ended with the same parameters, bit for bit.').waitFor();
  assert.equal(await page.getByText(job.digest!).count(), 2);
  await page.goBack();
  await page.getByRole('link', { name: 'Train again…' }).click();
  await page.waitForURL(/#\/train\?/);
  assert.match(page.url(), /seed=7/);
});

test('a new version is compared with the one that is served, and a button serves it', options, async (t) => {
  for (const epochs of [1, 3]) await train(app, tiny({ modelName: 'served', training: { epochs } }));
  const { data } = (await app.inject('/v1/training-jobs?limit=1')).json<{ data: TrainingJob[] }>();
  const page = await openPage(t, url, { path: jobRoute(data[0]!.id) });
  await page
    .getByText(/^Version 1 is served\. Version 2 (is better|does not differ .*): .* % against .* %/)
    .waitFor();
  await pressByKeyboard(page, 'Serve version 2');
  await page.getByText('Version 2 is served.').waitFor();
  const { aliases } = (await app.inject('/v1/models/served')).json<Model>();
  assert.equal(aliases['champion'], 2);
});

test('a failed job shows its error message, and an unknown one its problem', options, async (t) => {
  const optimizer = { type: 'sgd', learningRate: 100, weightDecay: 100 } as const;
  const training = { epochs: 2, batchSize: 1024, validation: { fraction: 0.8 }, optimizer };
  const job = await train(app, tiny({ network: { hidden: [] }, training }));
  assert.equal(job.error?.code, 'loss-diverged');
  const page = await openPage(t, url, { path: jobRoute(job.id), expected: /status of 404/ });
  await page.getByRole('alert').getByText(job.error.message).waitFor();
  await page.goto(`${url}/#/jobs/job_missing`);
  await page.getByText('training-job-not-found').waitFor();
});

test('a job that did not learn gives the reason once', options, async (t) => {
  // At η λ = 1 every step removes all weights.
  const optimizer = { type: 'sgd', learningRate: 0.01 } as const;
  const training = { epochs: 1, batchSize: 1024, l2: 100, validation: { fraction: 0.8 }, optimizer };
  const job = await train(app, tiny({ training, publish: {} }));
  assert.equal(job.publication?.version, null);
  const page = await openPage(t, url, { path: jobRoute(job.id) });
  const summary = page.getByLabel('State of the job');
  await summary.getByText('The training did not learn').waitFor();
  await page.waitForLoadState('networkidle');
  assert.equal(await summary.getByText('The training did not learn').count(), 1);
});
