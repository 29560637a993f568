/** The Train screen in a browser: training, errors at fields, searches, the address. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { zipSync } from 'fflate';
import type { Page } from 'playwright-core';
import best from '../../examples/recipes/best.json' with { type: 'json' };
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Search } from '../../src/domain/searches/representation.ts';
import { shapeFolders } from '../datasets/upload/shapes.ts';
import { upload } from '../http/upload.ts';
import { openPage, options, pressByKeyboard, startPageService, until } from './page.ts';

const service = options.skip ? null : await startPageService({ after });
const url = service?.url ?? '';

/** A rejected preview is an error message of the browser. */
const REJECTED = /status of 4\d\d/;

async function get<T>(path: string): Promise<T> {
  return (await service!.app.inject(path)).json();
}

const idOf = (page: Page) => page.url().split('/').at(-1)!;

test(
  'shows the cost of a training, and trains with the options of the form by keyboard',
  options,
  async (t) => {
    const page = await openPage(t, url);
    await page.getByText('784-40-10, 31,810 parameters').waitFor();
    await page.getByLabel('Hidden layers', { exact: true }).fill('16');
    await page.getByLabel('Epochs', { exact: true }).fill('2');
    await page.getByLabel('Optimizer', { exact: true }).selectOption('adam');
    await page.getByText('784-16-10, 12,730 parameters').waitFor();
    await pressByKeyboard(page, 'Train', page.getByRole('main'));
    await page.waitForURL(/#\/jobs\/job_/);
    const path = `/v1/training-jobs/${idOf(page)}`;
    const events = await service!.app.inject({
      url: `${path}/events`,
      headers: { accept: 'text/event-stream' },
    });
    assert.equal(events.body.match(/^event: epoch$/gm)?.length, 2);
    const job = await get<TrainingJob>(path);
    assert.equal(job.status, 'succeeded');
    assert.deepEqual(job.network.hidden, [16]);
    assert.equal(job.training.optimizer.type, 'adam');
  },
);

test('shows an error at its field, and focuses the first one at submission', options, async (t) => {
  const page = await openPage(t, url, { expected: REJECTED, path: '#/train?training/epochs=1' });
  const batch = page.getByLabel('Batch size', { exact: true });
  await batch.fill('4096');
  await page.getByText('Must be at most 1024, but is 4096.').waitFor();
  await page.getByText('Regularization').click();
  const top = async (name: string) => (await page.getByLabel(name, { exact: true }).boundingBox())!.y;
  assert.equal(await top('Label smoothing'), await top('Dropout'), 'one row, though a label is wrapped');
  await page.getByLabel('Dropout', { exact: true }).fill('x');
  await page.getByText('Must be a number, but is "x".').waitFor();
  assert.equal(await batch.getAttribute('aria-invalid'), 'true');
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.locator('input:focus').waitFor();
  assert.equal(await page.locator(':focus').getAttribute('id'), 'option-training-batchSize');
  await batch.fill('32');
  await page.getByLabel('Dropout', { exact: true }).fill('0');
  await page.locator('[aria-invalid]').first().waitFor({ state: 'detached' });
});

test('options that vary make it a search', options, async (t) => {
  const path = '#/train?network/hidden=8&training/epochs=1';
  const page = await openPage(t, url, { path, expected: REJECTED });
  await page.getByText('784-8-10, 6,370 parameters').waitFor();
  const vary = page.getByLabel('Vary Learning rate');
  await vary.evaluate((element) => element.scrollIntoView({ block: 'end' }));
  const place = await vary.boundingBox();
  await vary.check();
  await page.getByRole('button', { name: 'Search 3 settings' }).waitFor();
  assert.deepEqual(await vary.boundingBox(), place);
  await page.getByRole('button', { name: 'Options of the search' }).click();
  await page.getByRole('heading', { name: 'Search', exact: true }).and(page.locator(':focus')).waitFor();

  const values = page.getByLabel('Learning rate', { exact: true });
  const cost = page.getByRole('region', { name: 'What it will cost' });
  for (const [text, error] of [
    ['', 'Must not be empty.'],
    ['0.1', 'Must give at least two settings, but gives one.'],
    ['0.05..0.2, 1', 'Must be a number, but is "0.05..0.2".'],
  ] as const) {
    await values.fill(text);
    await page.locator('.field').filter({ has: values }).getByText(error).waitFor();
    assert.match((await cost.textContent())!, /^What it will costThe service would reject these settings/);
    await page.getByRole('button', { name: 'Search', exact: true }).waitFor();
  }
  const nesterov = page.getByLabel('Vary Nesterov');
  await nesterov.focus();
  for (const isVaried of [true, false]) {
    await page.keyboard.press('Space');
    await nesterov
      .and(page.locator(':focus'))
      .and(page.locator(isVaried ? ':checked' : ':not(:checked)'))
      .waitFor();
  }
  await values.fill('0.05, 0.1, 0.2, 0.4');
  await page.getByLabel('Vary Batch size').check();
  await page.getByLabel('Batch size', { exact: true }).fill('256, 512');
  await page.getByRole('button', { name: 'Search 8 settings' }).waitFor();
  await page.getByLabel('Kind of variation of Learning rate').selectOption('range, log');
  await page.getByLabel('Learning rate: points').fill('4');
  await page.getByRole('button', { name: 'Search 8 settings' }).click();
  await page.waitForURL(/#\/searches\/sea_/);
  const search = await get<Search>(`/v1/searches/${idOf(page)}`);
  assert.equal(search.vary.length, 2);
  assert.deepEqual(
    search.vary.find(({ path }) => path === '/training/optimizer/learningRate'),
    { path: '/training/optimizer/learningRate', min: 0.05, max: 0.4, scale: 'log', points: 4 },
  );
  await service!.app.inject({ method: 'POST', url: `/v1/searches/${idOf(page)}/cancel` });
});

test('a small data set is trained on with the settings of the form', options, async (t) => {
  const files = Object.entries(await shapeFolders(21, 2)).map(([name, bytes]) => [
    name,
    new Uint8Array(bytes),
  ]);
  const zip = Buffer.from(zipSync(Object.fromEntries(files)));
  const { id } = (await upload(service!.app, { file: zip })).json<{ id: string }>();
  const page = await openPage(t, url, { path: `#/train?dataset=${id}` });
  const batch = page.getByLabel('Batch size', { exact: true });
  await page.getByText('57 trained on, 6 held out').waitFor();
  assert.equal(await batch.inputValue(), '16');
  await page.getByLabel('Data set', { exact: true }).selectOption('fashion-mnist');
  assert.equal(await batch.inputValue(), '64');
  await page.getByLabel('Data set', { exact: true }).selectOption(id);
  await page.getByText('40 steps: likely too few. Suggested: epochs 500, batch size 16.').waitFor();
  await pressByKeyboard(page, 'Use the suggestion');
  await page.getByText('40 steps').waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('Epochs', { exact: true }).inputValue(), '500');
});

test('an unknown data set is an error at its field, and another one can be chosen', options, async (t) => {
  const page = await openPage(t, url, { path: '#/train?dataset=nope', expected: REJECTED });
  await page.getByText(/^Must be one of: .*fashion-mnist/).waitFor();
  await page.getByLabel('Data set', { exact: true }).selectOption('fashion-mnist');
  await page.getByText('784-40-10, 31,810 parameters').waitFor();
});

test('reload, back and forward keep the form, and a recipe fills it', options, async (t) => {
  const page = await openPage(t, url);
  const epochs = page.getByLabel('Epochs', { exact: true });
  await epochs.fill('7');
  await page.reload();
  assert.equal(await epochs.inputValue(), '7');
  await page.getByRole('link', { name: 'Check' }).click();
  await page.getByRole('heading', { name: 'Check', level: 1 }).waitFor();
  await page.goBack();
  assert.equal(await epochs.inputValue(), '7');
  // The title is set after the screen is drawn.
  await until(page, `document.title === 'Train · Atelier'`);
  await page.goForward();
  await page.getByRole('heading', { name: 'Check', level: 1 }).waitFor();
  await page.goBack();
  await page.getByLabel('Recipe').selectOption('best');
  const { training } = best;
  assert.equal(await epochs.inputValue(), String(training.epochs));
  assert.equal(await page.getByLabel('Schedule', { exact: true }).inputValue(), training.schedule.type);
  const command = (await page.locator('.as-curl pre').textContent())!;
  assert.ok(command.includes(`"labelSmoothing":${training.labelSmoothing}`), command);
  assert.match(command, /"validation":null/);
});

test('recipes of data sets that are not uploaded cannot be chosen', options, async (t) => {
  const page = await openPage(t, url);
  const recipe = (name: string) => page.getByLabel('Recipe').getByRole('option', { name, exact: true });
  const group = page.locator('.train-recipes optgroup');
  await group.waitFor({ state: 'attached' });
  assert.equal(await group.getAttribute('label'), 'To upload first, by examples/recipes/README.md');
  assert.deepEqual(await group.locator('option').allTextContents(), ['colour-shapes', 'digits']);
  assert.deepEqual([await recipe('digits').isDisabled(), await recipe('best').isDisabled()], [true, false]);
});

test('the form is drawn at once', options, async (t) => {
  const page = await openPage(t, url);
  await page.getByLabel('Epochs', { exact: true }).waitFor();
  const shifts = await page.evaluate(
    `new Promise((resolve) => { new PerformanceObserver((list) => resolve(list.getEntries().map((each) => each.value))).observe({ type: 'layout-shift', buffered: true }); setTimeout(() => resolve([]), 500); })`,
  );
  assert.ok((shifts as number[]).reduce((sum, value) => sum + value, 0) < 0.02, String(shifts));
});

test('the first start shows the curve of the starter job', options, async (t) => {
  const { url } = await startPageService(t, { STARTER_JOB: 'on' });
  const page = await openPage(t, url);
  const curve = page.getByRole('region', { name: 'The first network' });
  await curve.locator('figcaption').getByText('validation: from').waitFor();
  await curve.getByText('The first network has been trained.').waitFor();
  await page.getByRole('link', { name: 'Try it' }).click();
  await page.waitForURL(/#\/try\?fashion-mnist/);
});

test('without a connection, a banner is shown, and the form continues afterwards', options, async (t) => {
  const page = await openPage(t, url, { expected: /ERR_INTERNET_DISCONNECTED/ });
  await page.getByText('784-40-10, 31,810 parameters').waitFor();
  await page.context().setOffline(true);
  await page.getByLabel('Hidden layers', { exact: true }).fill('20');
  await page.getByText(/No response since \d\d:\d\d:\d\d/).waitFor();
  await page.context().setOffline(false);
  await page.getByText('784-20-10, 15,910 parameters').waitFor();
  assert.equal(await page.getByText('No response since').count(), 0);
});
