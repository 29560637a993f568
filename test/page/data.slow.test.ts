import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { zipSync } from 'fflate';
import type { Locator, Page } from 'playwright-core';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import { shapeFolders } from '../datasets/upload/shapes.ts';
import { upload } from '../http/upload.ts';
import { type Scope, temporaryDirectory, tiny, train } from '../support/start-service.ts';
import { bars } from './drawings.ts';
import {
  assertAccessible,
  openPage,
  options,
  pressByKeyboard,
  startPageService,
  untilLoaded,
} from './page.ts';

const { app, url } = await startPageService({ after });
const HOSTILE = '<img src=x onerror=alert(1)>';

/** A zip of drawings in three class folders, one of which has a hostile name. */
async function hostileZip(): Promise<Buffer> {
  const shapes = Object.entries(await shapeFolders(14, 2));
  const files = shapes.map(([path, bytes]) => [path.replace('circle', HOSTILE), new Uint8Array(bytes)]);
  return Buffer.from(zipSync({ ...Object.fromEntries(files), 'notes.txt': new Uint8Array(1) }));
}
const zip = await hostileZip();
const datasetIds = async () =>
  (await app.inject('/v1/datasets')).json<{ data: DatasetSummary[] }>().data.map(({ id }) => id);

test(
  'a zip of class folders is uploaded with progress, shown with its report and images, and deleted',
  options,
  async (t) => {
    const page = await openPage(t, url, { path: '#/data' });
    await page.getByRole('link', { name: 'fashion-mnist' }).waitFor();
    await page
      .getByLabel('Archive', { exact: true })
      .setInputFiles({ name: 'shapes.zip', mimeType: 'application/zip', buffer: zip });
    await page.getByLabel('Background').selectOption('white');
    await page.getByLabel('Name', { exact: true }).fill(HOSTILE);
    // Slow enough to show the progress.
    const network = await page.context().newCDPSession(page);
    const limits = { offline: false, latency: 0, downloadThroughput: -1 };
    await network.send('Network.emulateNetworkConditions', { ...limits, uploadThroughput: zip.length });
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByRole('button', { name: 'Upload' }).click();
    await page.getByRole('progressbar', { name: 'Upload' }).waitFor();
    await page.getByRole('heading', { level: 1, name: HOSTILE }).waitFor();
    await network.send('Network.emulateNetworkConditions', { ...limits, uploadThroughput: -1 });
    await page.getByText('The data set has been uploaded and checked.').waitFor();
    assert.equal(await page.title(), `${HOSTILE} · Atelier`);

    const id = decodeURIComponent(page.url()).split(/[/?]/).at(-2)!;
    const { preprocessing } = (await app.inject(`/v1/datasets/${id}`)).json<DatasetSummary>();
    assert.equal(preprocessing?.background, 'white');
    const classes = page.getByRole('table', { name: 'Images of each class' });
    assert.match(String(await classes.getByRole('row', { name: HOSTILE }).textContent()), /142$/);
    await page.getByText('1: notes.txt').waitFor();

    const images = page.locator('.data-images img');
    await images.nth(35).waitFor();
    const widths = await images.evaluateAll((all: { naturalWidth: number }[]) =>
      all.map((image) => image.naturalWidth),
    );
    assert.deepEqual(widths, new Array(36).fill(48));
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('37–42 of 42').waitFor();
    await page.getByLabel('Class', { exact: true }).selectOption(HOSTILE);
    await page.getByText('1–14 of 14').waitFor();
    await page.getByLabel('Split').selectOption('test');
    await page.getByText('1–2 of 2').waitFor();
    await page.locator('.data-images').getByAltText(HOSTILE).nth(1).waitFor();
    await page.reload();
    await page.getByText('1–2 of 2').waitFor();

    await untilLoaded(page);
    await pressByKeyboard(page, 'Delete');
    const dialog = page.getByRole('dialog', { name: `Delete ${HOSTILE}?` });
    await pressByKeyboard(page, 'Delete', dialog);
    await page.getByRole('heading', { level: 1, name: 'Data' }).waitFor();
    await page.getByRole('link', { name: 'fashion-mnist' }).waitFor();
    assert.deepEqual(await datasetIds(), ['fashion-mnist']);
  },
);

test('a rejected file is explained at its field, and the field gets the focus', options, async (t) => {
  const page = await openPage(t, url, { path: '#/data', expected: /status of 422/ });
  await page
    .getByLabel('Archive', { exact: true })
    .setInputFiles({ name: 'x.zip', mimeType: 'application/zip', buffer: zip.subarray(0, 999) });
  await page.getByRole('button', { name: 'Check' }).click();
  await page.locator('#upload-file[aria-invalid]:focus').waitFor();
  assert.match(String(await page.locator('#upload-file-error').textContent()), /archive has no directory/);
  await page.getByText('as curl').click();
  assert.match(String(await page.getByLabel('Command').textContent()), /-F 'file=@"x\.zip"'/);
});

/** Named by class in one folder, all of the same size; one of them is cut off, and one file is no image. */
async function namedZip(): Promise<Buffer> {
  const drawn = Object.entries(await shapeFolders(6, 0)).map(([path, bytes], n) => {
    const kept = n === 0 ? bytes.subarray(0, bytes.length / 2) : bytes;
    return [path.replace('train/', '').replace('/', '_'), new Uint8Array(kept)] as const;
  });
  return Buffer.from(zipSync({ ...Object.fromEntries(drawn), 'notes.txt': new Uint8Array(1) }));
}

test('a check leads from what was rejected to what is stored', options, async (t) => {
  const stored = await datasetIds();
  const page = await openPage(t, url, { path: '#/data', expected: /status of 422/ });
  const check = page.getByRole('button', { name: 'Check' });
  await page
    .getByLabel('Archive', { exact: true })
    .setInputFiles({ name: 'named.zip', mimeType: 'application/zip', buffer: await namedZip() });
  await page.getByLabel('Test fraction').fill('0.3');
  await check.click();
  await page.locator('#upload-file-error').getByText('labels=filename').waitFor();
  await page.getByLabel('Classes from').selectOption('filename');
  await check.click();
  await page.getByText(/damaged=skip/).waitFor();
  await page.getByLabel('Damaged images').selectOption('skip');
  await check.click();
  await page.locator('h2:focus', { hasText: 'Nothing is stored yet' }).waitFor();
  const rows = page.getByRole('table', { name: 'Images of each class' }).getByRole('row');
  assert.deepEqual(
    (await rows.allTextContents()).map((text) => text.replace(/^\d/, '')),
    ['LabelClassTrainTestBars', 'circle32', 'square42', 'triangle42'],
  );
  const samples = page.locator('.data-images img');
  await samples.nth(11).waitFor();
  const widths = await samples.evaluateAll((all: { naturalWidth: number }[]) =>
    all.map((image) => image.naturalWidth),
  );
  assert.ok(
    widths.every((width) => width === 48),
    String(widths),
  );
  assert.match((await samples.first().getAttribute('alt'))!, /^(circle|square|triangle), (train|test) \d+$/);
  await page.getByText(/40×48×3: The images have 96×80 pixels/).waitFor();
  await page.getByText('1: notes.txt').waitFor();
  await page.getByText(/^1: circle_0/).waitFor();
  await assertAccessible(page);
  assert.deepEqual(await datasetIds(), stored);

  await page.getByLabel('Seed').fill('1');
  await page.getByText('Nothing is stored yet').waitFor({ state: 'detached' });
  await check.click();
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByText('The data set has been uploaded and checked.').waitFor();
  assert.equal((await datasetIds()).length, stored.length + 1);
});

test('a known data set is recognized, and one that does not exist is reported', options, async (t) => {
  const created = (await upload(app, { file: zip, name: 'Shapes' })).json<DatasetSummary>();
  const page = await openPage(t, url, { path: '#/data', expected: /status of 404/ });
  await page
    .getByLabel('Archive', { exact: true })
    .setInputFiles({ name: 'again.zip', mimeType: 'application/zip', buffer: zip });
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByText('The service had this data set already.').waitFor();
  assert.ok(page.url().includes(created.id));
  await page.goto(`${url}/#/data/nothing`);
  await page.getByRole('alert').getByText('dataset-not-found').waitFor();
});

test('a validation split is drawn between the others, where there is one', options, async (t) => {
  const { id } = (await upload(app, { file: await bars(27), name: 'Bars' })).json<DatasetSummary>();
  const page = await openPage(t, url, { path: `#/data/${id}` });
  const rowsOf = async () => {
    const row = page.getByRole('row', { name: /^1/ });
    await row.waitFor();
    const drawn = await row
      .locator('rect')
      .evaluateAll((all) =>
        all.map((each) =>
          ['width', 'y', 'height'].map((name) => Number.parseFloat(each.getAttribute(name) ?? '0')),
        ),
      );
    return { text: await row.textContent(), drawn };
  };
  await page.getByRole('heading', { level: 1, name: 'Bars' }).waitFor();
  const { text, drawn } = await rowsOf();
  assert.equal(text, '1row542712');
  assert.deepEqual(
    drawn.map(([width, ...place]) => [Math.round(width!), ...place]),
    [
      [100, 0, 6],
      [22, 11, 3],
      [50, 7, 3],
    ],
  );
  await assertAccessible(page);
  await page.goto(`${url}/#/data/fashion-mnist`);
  await page.getByRole('heading', { level: 1, name: 'fashion-mnist' }).waitFor();
  assert.equal((await rowsOf()).drawn.length, 2);
});

test(
  'a model without a name gets the name of its data set, and is deleted with its only version',
  options,
  async (t) => {
    const { id } = (await upload(app, { file: zip, name: 'Shapes' })).json<DatasetSummary>();
    await train(
      app,
      tiny({ dataset: id, training: { epochs: 1, batchSize: 4, validation: { fraction: 0.5 } } }),
    );
    const page = await openPage(t, url, { path: '#/jobs' });
    await page.getByRole('cell', { name: 'Shapes', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Shapes', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Shapes' }).waitFor();
    await page.getByText(/hidden units, relu, on Shapes/).waitFor();
    await page.getByRole('link', { name: 'Shapes@1' }).click();
    await page.getByRole('heading', { level: 1, name: 'Shapes@1' }).waitFor();
    await page.getByRole('link', { name: 'Shapes', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Try it' }).click();
    await page
      .getByLabel('Model', { exact: true })
      .locator('option', { hasText: 'Shapes' })
      .waitFor({ state: 'attached' });
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Shapes@1' }).waitFor();
    await untilLoaded(page);
    await pressByKeyboard(page, 'Delete');
    const dialog = page.getByRole('dialog', { name: 'Delete Shapes@1?' });
    await dialog.getByText('the model is deleted with it, and so is the alias champion.').waitFor();
    await pressByKeyboard(page, 'Delete the version', dialog);
    await page.getByText('There are no models yet.').waitFor();
  },
);

/** A new folder with class folders below train and test, a hidden file, and an image that is not read. */
async function shapesFolder(scope: Scope): Promise<string> {
  const folder = join(await temporaryDirectory(scope), 'shapes');
  for (const [path, bytes] of Object.entries(await shapeFolders(14, 2))) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  await writeFile(join(folder, '.hidden'), 'hidden');
  await writeFile(join(folder, 'photo.bmp'), 'BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0', 'latin1');
  return folder;
}

test('a folder is packed and uploaded, and is the same data set as its archive', options, async (t) => {
  const files = await shapeFolders(14, 2);
  const { id } = (await upload(app, { file: zipSync(files) })).json<DatasetSummary>();
  await app.inject({ method: 'DELETE', url: `/v1/datasets/${id}` });
  const page = await openPage(t, url, { path: '#/data' });
  await page.getByLabel('A folder').check();
  await page.getByLabel('Folder', { exact: true }).setInputFiles(await shapesFolder(t));
  await page.getByText('shapes: 49 files').waitFor();
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByText('The data set has been uploaded and checked.').waitFor();
  assert.ok(page.url().includes(id));
  await page.getByText('1 file looks like an image but is not read: "photo.bmp" (a BMP image)').waitFor();
});

/** Waits in the page until an input has the file. */
const untilChosen = (page: Page, input: string, name: string): Promise<unknown> =>
  page.evaluate(
    `new Promise((resolve) => {
      const check = () => {
        const [file] = document.querySelector('${input}').files;
        return file?.name === '${name}' ? resolve() : requestAnimationFrame(check);
      };
      check();
    })`,
  );

test('a folder, an archive or an array can be dropped', options, async (t) => {
  const page = await openPage(t, url, { path: '#/data' });
  const input = await page.context().newCDPSession(page);
  async function drop(target: Locator, file: string): Promise<void> {
    await target.scrollIntoViewIfNeeded();
    const { x, y, width } = (await target.boundingBox())!;
    const data = { items: [], files: [file], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await input.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + 10, data });
  }
  const form = page.getByRole('region', { name: 'Files of the data set' });
  const folder = await shapesFolder(t);
  const archive = join(folder, '../dropped.zip');
  await writeFile(archive, zip);
  await page.getByLabel('Arrays').check();
  await drop(page.getByLabel('Training images'), archive);
  await untilChosen(page, '#upload-train_images', 'dropped.zip');
  await drop(form, archive);
  await page.getByLabel('One archive').and(page.locator(':checked')).waitFor();
  await untilChosen(page, '#upload-file', 'dropped.zip');
  await drop(form, folder);
  await page.getByLabel('A folder').and(page.locator(':checked')).waitFor();
  await page.getByText('shapes: 49 files').waitFor();
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByText(/The data set has been uploaded|The service had this data set already/).waitFor();
});
