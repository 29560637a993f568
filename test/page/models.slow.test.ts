/** The screens Models and Model version in Chromium. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { ShownCoverage } from '../../src/domain/checks/coverage.ts';
import type { Evaluation } from '../../src/domain/checks/evaluation.ts';
import type { ShownRanking } from '../../src/domain/checks/ranking.ts';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import type { Alias } from '../../src/domain/models/alias.ts';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { upload } from '../http/upload.ts';
import { tiny, train } from '../support/start-service.ts';
import { bars } from './drawings.ts';
import { assertAccessible, openPage, options, startPageService, untilLoaded } from './page.ts';

const { app, url } = await startPageService({ after });
const network = { hidden: [8] };
const training = { epochs: 1, batchSize: 64, validation: { fraction: 0.9 } };
for (const seed of [0, 1]) await train(app, tiny({ modelName: 'shoes', seed, network, training }));
await train(app, tiny({ modelName: 'sealed', testSet: 'never' }));

const SHOES = '/v1/models/shoes';
const read = async <T>(path: string): Promise<T> => (await app.inject(path)).json();
const champion = async () => (await read<Alias>(`${SHOES}/aliases/champion`)).version;
const looks = async (dataset = 'fashion-mnist') =>
  (await read<DatasetSummary>(`/v1/datasets/${dataset}`)).splits.test.looks as number;

/** Names of the images that are shown once all have been loaded. */
async function imageNames(page: Page): Promise<string[]> {
  await page.locator('.model-images li').first().waitFor();
  await page.locator('.model-images:not(:has(.missing))').first().waitFor();
  return page
    .locator('.model-images img')
    .evaluateAll((images) => images.map((each) => each.getAttribute('alt')!));
}

test('lists models with their versions, aliases, accuracies and intervals', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models' });
  await page.getByRole('link', { name: 'champion → 1' }).first().waitFor();
  const versions = page.getByRole('region', { name: 'Versions of shoes' });
  await versions
    .getByText(/^\d\d\.\d\d – \d\d\.\d\d %$/)
    .nth(1)
    .waitFor();
  assert.equal(await versions.getByRole('row').count(), 3);
  await versions.getByRole('link', { name: 'Version 2 of shoes' }).click();
  await page.getByRole('heading', { name: 'shoes@2', level: 1 }).waitFor();
  await page.locator('h1:focus').waitFor();
  assert.equal(await page.title(), 'shoes@2 · Atelier');
  await page.goBack();
  await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
});

test('shows one model with its versions and aliases', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models/shoes', expected: /status of 404/ });
  await page.getByRole('heading', { name: 'shoes', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'champion → 1' }).waitFor();
  await page.getByRole('link', { name: 'Served version' }).click();
  await page.getByRole('heading', { name: 'shoes@1', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'shoes', exact: true }).click();
  await page.getByRole('link', { name: 'Version 2 of shoes' }).waitFor();
  await page.goto(`${url}/#/models/nothing`);
  await page.getByRole('alert').getByText('model-not-found').waitFor();
});

test('opens the images of a cell of the confusion matrix, by mouse and by keys', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models/shoes/1' });
  const { confusionMatrix, mistakes } = await read<Evaluation>(`${SHOES}/versions/1/evaluation`);
  assert.equal((await imageNames(page)).length, 20);
  const { label, predicted, className, predictedClassName } = mistakes[0]!;
  const count = confusionMatrix![label]![predicted]!;
  await page
    .getByRole('link', { name: `${className} classified as ${predictedClassName}: ${count}`, exact: true })
    .click();
  await page.getByRole('heading', { name: `${className} → ${predictedClassName}` }).waitFor();
  await page.getByText(`${Math.min(20, count)} of ${count} images`).waitFor();
  const images = await imageNames(page);
  assert.equal(images.length, Math.min(20, count));
  assert.ok(
    images.every((name) => name.endsWith(`: ${className}`)),
    images.join(),
  );
  assert.ok(page.url().endsWith(`cell=${label}-${predicted}`));
  await page.reload();
  await page.getByRole('heading', { name: `${className} → ${predictedClassName}` }).waitFor();

  const opposite = `${confusionMatrix![0]![0]}`;
  await page.locator('.model-cell[tabindex="0"]').focus();
  for (let step = 0; step < 9; step++) await page.keyboard.press('ArrowLeft');
  for (let step = 0; step < 9; step++) await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'T-shirt/top → T-shirt/top' }).waitFor();
  await page.getByText(`of ${opposite} images`).waitFor();
});

test('moves the champion and rolls it back, by keyboard alone', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models/shoes/2' });
  await page.getByRole('tab', { name: 'Evaluation' }).focus();
  for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowRight');
  const move = page.getByRole('button', { name: 'Move to version 2: champion' });
  await move.waitFor();
  await page.getByRole('button', { name: 'Remove champion' }).focus();
  await page.keyboard.press('Shift+Tab');
  assert.ok(await move.evaluate((button) => button === button.ownerDocument.activeElement));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'shoes@2 champion' }).waitFor();
  assert.equal(await champion(), 2);
  await page.getByRole('cell', { name: '1 → 2' }).waitFor();
  await page.getByRole('button', { name: 'Roll back to version 1: champion' }).press('Enter');
  await page.getByRole('cell', { name: '2 → 1' }).waitFor();
  assert.equal(await champion(), 1);
});

test('warns when a version without a calibration takes the place of a calibrated one', options, async (t) => {
  const payload = { split: 'train' };
  await app.inject({ method: 'POST', url: `${SHOES}/versions/1/calibration`, payload });
  const page = await openPage(t, url, { path: '#/models/shoes/2?tab=aliases' });
  const warning = page.getByText('Version 2 has no calibration, unlike version 1.');
  const move = page.getByRole('button', { name: 'Move to version 2: champion' });
  await move.click();
  await warning.waitFor();
  await page.getByRole('button', { name: 'Roll back to version 1: champion' }).click();
  await move.waitFor();
  assert.equal(await warning.count(), 0);
  assert.equal(await champion(), 1);
});

test('shows what limits a calibration on images of one class', options, async (t) => {
  const { classNames } = await read<DatasetSummary>('/v1/datasets/fashion-mnist');
  const count = 100;
  const images = npyBytes(
    Uint8Array.from({ length: count * 784 }, (_, i) => (i * i) % 251),
    [count, 28, 28],
  );
  const boots = await upload(app, {
    classNames: classNames.join(','),
    train_images: images,
    train_labels: npyBytes(
      Uint8Array.from({ length: count }, (_, i) => i % 10),
      [count],
    ),
    test_images: images,
    test_labels: npyBytes(new Uint8Array(count).fill(9), [count]),
  });
  const payload = { dataset: boots.json<DatasetSummary>().id };
  await app.inject({ method: 'POST', url: `${SHOES}/versions/2/calibration`, payload });
  const page = await openPage(t, url, { path: '#/models/shoes/2?tab=coverage' });
  await page.getByText('All calibration images are of class Ankle boot, so the coverage holds for').waitFor();
});

test('calibrates on the validation split of a data set, if it has one', options, async (t) => {
  const file = await bars(50);
  const dataset = (await upload(app, { file, name: 'split bars' })).json<DatasetSummary>().id;
  const half = { epochs: 1, batchSize: 4, validation: { fraction: 0.5 } };
  await train(app, tiny({ dataset, modelName: 'split', network, training: half }));
  const before = await looks(dataset);
  const page = await openPage(t, url, { path: '#/models/split/1?tab=coverage' });
  await page.getByLabel('Calibrate on').selectOption('validation');
  await page.getByRole('button', { name: 'Calibrate' }).click();
  await page.getByText(/^100 validation images of split bars/).waitFor();
  await page.getByText('holds: these images had no influence on the version').waitFor();
  assert.equal(await looks(dataset), before);
  await assertAccessible(page);
  // The choice stays for another calibration.
  assert.equal(await page.getByLabel('Calibrate on').inputValue(), 'validation');

  await page.goto(`${url}/#/models/shoes/1?tab=coverage`);
  await page.getByRole('heading', { name: /^shoes@1/, level: 1 }).waitFor();
  await untilLoaded(page);
  assert.equal(await page.getByLabel('Calibrate on').locator('option[value="validation"]').count(), 0);
});

test('does not move an alias that another client has moved since', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models/shoes/2?tab=aliases', expected: /status of 412/ });
  const move = page.getByRole('button', { name: 'Move to version 2: champion' });
  await move.waitFor();
  for (const version of [2, 1]) {
    await app.inject({ method: 'PUT', url: `${SHOES}/aliases/champion`, payload: { version } });
  }
  await move.click();
  await page.getByText('precondition-failed').waitFor();
  assert.equal(await champion(), 1);
});

test('downloads exports, charts and the card', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models/shoes/1?tab=export' });
  async function download(name: string): Promise<[string, Buffer]> {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name, exact: true }).first().click(),
    ]);
    return [file.suggestedFilename(), await readFile(await file.path())];
  }
  for (const format of ['onnx', 'safetensors', 'npz', 'npy', 'json']) {
    const [name, bytes] = await download(format);
    const sent = await app.inject(`${SHOES}/versions/1/export?format=${format}`);
    assert.equal(name, `shoes-1.${format}`);
    assert.deepEqual(bytes, sent.rawPayload);
  }
  await app.inject({ method: 'POST', url: `${SHOES}/versions/1/calibration`, payload: { split: 'train' } });
  await page.reload();
  const calibrated = await app.inject(`${SHOES}/versions/1/export?format=onnx&calibrated=true`);
  assert.deepEqual((await download('onnx (calibrated)'))[1], calibrated.rawPayload);
  await page.getByRole('tab', { name: 'Card' }).click();
  const [name, card] = await download('Markdown');
  assert.equal(name, 'shoes-1.md');
  assert.match(card.toString(), /^---\n/);
  await page.getByRole('tab', { name: 'Evaluation' }).click();
  const [picture, svg] = await download('SVG');
  assert.equal(picture, 'confusion-shoes-1-test.svg');
  assert.match(svg.toString(), /^<svg/);
  const [, csv] = await download('CSV');
  assert.match(csv.toString(), /^Class,T-shirt\/top,/);
});

test('names the looks of a comparison before it is made', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models/shoes/1?tab=compare' });
  await page.getByLabel('Other version').fill('shoes@2');
  await page.keyboard.press('Enter');
  await page.getByText(/significantly .*McNemar/).waitFor();
  await imageNames(page);
  await page.getByRole('button', { name: 'Compare at a coverage of 95 %' }).click();
  for (const version of [1, 2]) {
    const { levels } = await read<ShownCoverage>(`${SHOES}/versions/${version}/evaluation/coverage`);
    const { unsure, sureAccuracy } = levels.find(({ coverage }) => coverage === 0.95)!;
    const figures = [1 - unsure, sureAccuracy!].map((value) => `${(100 * value).toFixed(2)} %`);
    await page.getByRole('row', { name: `shoes@${version} ${figures.join(' ')}` }).waitFor();
  }

  await page.getByLabel('Other version').fill('shoes@1');
  await page.keyboard.press('Enter');
  await page.getByText('Both are shoes@1. Choose another version to compare with.').waitFor();

  const before = await looks();
  await page.getByLabel('Other version').fill('sealed');
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByText('No test result of sealed was revealed yet.').waitFor();
  assert.equal(await looks(), before);
  await page.getByRole('button', { name: 'Compare and count' }).click();
  await page
    .getByText(/shoes@1 .* sealed@1/)
    .first()
    .waitFor();
  assert.equal(await looks(), before + 1);
});

test('evaluates a version without a test result only when the user orders it', options, async (t) => {
  await train(app, tiny({ modelName: 'sealed', seed: 5, testSet: 'never' }));
  const page = await openPage(t, url, { path: '#/models/sealed/2' });
  const order = page.getByRole('button', { name: 'Evaluate and count a look' });
  await order.waitFor();
  const before = await looks();
  await order.click();
  await page.getByRole('heading', { name: 'Most confident mistakes' }).waitFor();
  assert.equal(await looks(), before + 1);
});

test('imports a file, with errors at its fields, and shows names of classes as text', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models', expected: /status of 4(00|22)/ });
  const npz = (await app.inject(`${SHOES}/versions/1/export?format=npz`)).rawPayload;
  await page.getByRole('button', { name: 'Import a model' }).click();
  await page.getByLabel('File').setInputFiles({ name: 'm.npz', mimeType: 'application/zip', buffer: npz });
  await page.getByLabel('Model name').fill('Not A Name');
  await page.keyboard.press('Enter');
  await page.getByText(/Must be 1–64 of/).waitFor();
  await page.locator('#import-name:focus').waitFor();

  const hostile = `<img src=x onerror=alert(1)>`;
  const classNames = JSON.stringify([hostile, ...Array.from({ length: 9 }, (_, i) => `"'&${i}`)]);
  await page.getByLabel('Model name').fill('foreign');
  await page.getByText('What the file does not state').click();
  await page.getByLabel('Class names').fill(classNames);
  await page.getByLabel('Data set').fill('fashion-mnist');
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('heading', { name: 'foreign@1', level: 1 }).waitFor();
  await imageNames(page);
  await page.locator('.model-images li').getByText(hostile, { exact: true }).first().waitFor();
  assert.equal(await page.locator('img[src="x"]').count(), 0);
});

test('deletes a version after a confirmation', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models/sealed/1', expected: /status of 409/ });
  await untilLoaded(page);
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete the version' }).click();
  await dialog.getByText('version-in-use').waitFor();
  await page.keyboard.press('Escape');
  await app.inject({ method: 'DELETE', url: '/v1/models/sealed/aliases/champion' });
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete the version' }).click();
  await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
  assert.equal((await app.inject('/v1/models/sealed/versions/1')).statusCode, 404);
});

test('reports that a version does not exist', options, async (t) => {
  const page = await openPage(t, url, { path: '#/models/shoes/99', expected: /status of 404/ });
  await page.getByText('model-not-found').waitFor();
});

test(
  'shows curves, and the measured coverage of a calibrated version, without a look',
  options,
  async (t) => {
    const payload = { split: 'train' };
    await app.inject({ method: 'POST', url: `${SHOES}/versions/1/calibration`, payload });
    const ranking = await read<ShownRanking>(`${SHOES}/versions/1/evaluation/ranking`);
    const { levels } = await read<ShownCoverage>(`${SHOES}/versions/1/evaluation/coverage`);
    const before = await looks();
    const page = await openPage(t, url, { path: '#/models/shoes/1' });
    for (const name of ['ROC curves', 'Precision and recall', 'Accuracy of the answered images'])
      await page.getByRole('img', { name: new RegExp(`^${name}: shoes@1`) }).waitFor();
    const mean = ranking.macroAverage.areaUnderRoc!;
    const sentence = `The mean area under the curve of the classes is ${+mean.toPrecision(3)};`;
    await page.locator('figcaption', { hasText: sentence }).waitFor();
    const table = page.getByRole('region', { name: 'Measured coverage' }).getByRole('table');
    assert.deepEqual(
      await table.getByRole('row').locator('td:nth-child(2)').allTextContents(),
      levels.map(({ measured }) => `${(100 * measured).toFixed(2)} %`),
    );
    assert.equal(await looks(), before);
    await page.goto(`${url}/#/models/sealed/2`);
    await page.getByRole('img', { name: /^ROC curves: sealed@2/ }).waitFor();
    assert.equal(await page.getByRole('region', { name: 'Measured coverage' }).count(), 0);
  },
);

test('a slider reads out the rates of two classes at a threshold, by keyboard', options, async (t) => {
  const dataset = (await upload(app, { file: await bars(), name: 'bars' })).json<DatasetSummary>().id;
  await train(app, tiny({ dataset, modelName: 'bars', network, training: { epochs: 2, batchSize: 4 } }));
  const page = await openPage(t, url, { path: '#/models/bars/1', width: 360 });
  const slider = page.getByLabel('Threshold of the probability of row');
  await slider.waitFor();
  const { classes } = await read<ShownRanking>('/v1/models/bars/versions/1/evaluation/ranking');
  const { threshold, precision, recall, falsePositiveRate, accuracy } = classes[1]!.curve;
  const shown = (value: number | null | undefined) => `${(100 * value!).toFixed(2)} %`;
  const textAt = (i: number) =>
    `: precision ${shown(precision[i])}, recall ${shown(recall[i])}, false positive rate ` +
    `${shown(falsePositiveRate[i])}, accuracy ${shown(accuracy[i])}`;
  const assertShows = async (start: string, i: number) => {
    const output = page.locator('output', { hasText: textAt(i) }).filter({ hasText: `Class row, ${start}` });
    const text = await output.textContent();
    assert.equal(await slider.getAttribute('aria-valuetext'), text);
  };
  await assertShows(
    'probability ≥ 0.',
    threshold.findLastIndex((value) => value === null || value >= 0.5),
  );
  await slider.focus();
  await page.keyboard.press('End');
  await assertShows('above all probabilities', 0);
  await page.keyboard.press('ArrowLeft');
  await assertShows('probability ≥ 0.', 1);
  await page.keyboard.press('Home');
  await assertShows('probability ≥ 0.', threshold.length - 1);
  await assertAccessible(page);
});
