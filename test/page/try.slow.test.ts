import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type { ModelVersion } from '../../src/domain/models/representation.ts';
import type { Predictions } from '../../src/protocols/native/schema.ts';
import { type Scope, temporaryDirectory, testImage, train } from '../support/start-service.ts';
import {
  assertAccessible,
  openPage,
  options,
  type PageOptions,
  pressByKeyboard,
  startPageService,
} from './page.ts';

const { app, url } = await startPageService({ after });
test('without a model, the screen offers to train one', options, async (t) => {
  const page = await openPage(t, url, { path: '#/try' });
  await page.getByText('There is no model yet.').waitFor();
  await page.getByText('as curl').first().click();
  await runCurl(String(await page.getByLabel('Command').first().textContent()), '.');
  const { data } = (await app.inject('/v1/training-jobs')).json<{ data: { id: string }[] }>();
  assert.equal(data.length, 1);
  await app.inject({ method: 'POST', url: `/v1/training-jobs/${data[0]!.id}/cancel` });
  await page.getByRole('link', { name: 'Train a model' }).click();
  await page.getByRole('heading', { level: 1, name: 'Train' }).waitFor();
});

let training: Promise<unknown> | undefined;

/** Opens the screen with the one model, which the first test that needs it trains. */
async function openTry(t: Scope, pageOptions: PageOptions = {}): Promise<Page> {
  training ??= train(app, {
    dataset: 'fashion-mnist',
    modelName: 'small',
    network: { hidden: [16] },
    training: { epochs: 2, batchSize: 64, validation: { fraction: 0.1 } },
  });
  await training;
  return openPage(t, url, { path: '#/try?small', ...pageOptions });
}

const boot = await testImage(app, 0, 'image/png');
const inverted = await sharp(boot).negate().resize(280, 280, { kernel: 'nearest' }).png().toBuffer();

const answer = (page: Page) => page.locator('.try-answer');
const pad = (page: Page) => page.getByRole('application', { name: 'Drawing pad' });
const upload = (page: Page, name: string, mimeType: string, buffer: Buffer) =>
  page.getByLabel('Image file').setInputFiles({ name, mimeType, buffer });

async function untilPredicted(page: Page, className: string): Promise<void> {
  await answer(page).getByText(className).waitFor();
}

async function runCurl(command: string, folder: string): Promise<Predictions> {
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd: folder });
  return JSON.parse(stdout);
}

async function commandOf(page: Page): Promise<string> {
  await page.locator('main > .as-curl > summary').click();
  return String(await page.locator('main > .as-curl pre').textContent());
}

test('an inverted upload is diagnosed, and its button leads to the right class', options, async (t) => {
  const page = await openTry(t);
  await upload(page, "boot's.png", 'image/png', inverted);
  await page.getByText(/The image seems inverted/).waitFor();
  await page.getByText("boot's.png").waitFor();
  const folder = await temporaryDirectory(t);
  await writeFile(join(folder, "boot's.png"), inverted);
  const [prediction] = (await runCurl(await commandOf(page), folder)).predictions;
  assert.equal(prediction!.diagnosis!.findings[0]!.code, 'inverted');
  await untilPredicted(page, prediction!.className);

  await pressByKeyboard(page, 'Invert');
  await page.getByText('The image resembles the training images.').waitFor();
  await untilPredicted(page, 'Ankle boot');
  const changed = await page.locator('main > .as-curl pre').textContent();
  assert.equal((await runCurl(String(changed), folder)).predictions[0]!.className, 'Ankle boot');

  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText(/The image seems inverted/).waitFor();
});

test('drawing by mouse gives a prediction and an explanation of a chosen class', options, async (t) => {
  const page = await openTry(t);
  const { x, y, width } = (await pad(page).boundingBox())!;
  const undo = page.getByRole('button', { name: 'Undo' });
  assert.equal(await undo.isDisabled(), true);
  await page.getByLabel('Brush').selectOption('broad');
  // Two trouser legs.
  for (const column of [0.38, 0.62]) {
    await page.mouse.move(x + width * column, y + width * 0.1);
    await page.mouse.down();
    await page.mouse.move(x + width * column, y + width * 0.9, { steps: 5 });
    // While the button is down.
    await answer(page).getByText('%').waitFor();
    await page.mouse.up();
  }
  await untilPredicted(page, 'Trouser');
  await page.getByText(/For Trouser/).waitFor();
  await page.getByLabel('Class to explain').selectOption('Bag');
  await page.getByText(/For Bag/).waitFor();
  // One undo per stroke.
  await undo.click();
  await undo.click();
  await page.getByText('Draw, upload, paste, drop or pick an image.').waitFor();
});

test('an answer with a guarantee names its classes, and the slider asks again', options, async (t) => {
  const page = await openTry(t);
  const guarantee = page.getByLabel('Answers with a guarantee');
  const coverage = page.getByRole('slider', { name: 'Coverage' });
  await upload(page, 'boot.png', 'image/png', boot);
  await untilPredicted(page, 'Ankle boot');
  await guarantee.focus();
  await page.keyboard.press('Space');
  for (const [key, value, text] of [
    ['', 0.95, '95 %'],
    ['End', 0.999, '99.9 %'],
    ['Home', 0.5, '50 %'],
  ] as const) {
    if (key !== '') await coverage.press(key);
    assert.equal(await coverage.getAttribute('aria-valuetext'), text);
    const response = await app.inject({
      method: 'POST',
      url: `/v1/models/small/predictions?coverage=${value}`,
      headers: { 'content-type': 'image/png' },
      payload: boot,
    });
    const { classes, unsure, unsureBecause } = response.json<Predictions>().predictions[0]!;
    assert.notEqual(unsureBecause, 'unlike-training-images');
    const names = classes!.map(({ className }) => `${className} [\\d.]+ %`);
    const set = [names.slice(0, -1).join(', '), ...names.slice(-1)].filter(Boolean).join(' or ');
    const shown = unsureBecause === 'no-class' ? 'no class is likely enough' : set;
    await answer(page)
      .getByText(new RegExp(`^${unsure ? 'Unsure' : 'Sure'}: ${shown}$`))
      .waitFor();
  }
  await page.getByText('Calibrated on 6,000 validation images.').waitFor();
  await assertAccessible(page);

  const grey = { create: { width: 28, height: 28, channels: 3, background: '#555' } } as const;
  await upload(page, 'grey.png', 'image/png', await sharp(grey).png().toBuffer());
  await answer(page)
    .getByText(/^Unsure: unlike anything it was trained on/)
    .waitFor();
  await guarantee.uncheck();
  await answer(page)
    .getByText(/^[\w -/]+ [\d.]+ %$/)
    .waitFor();
  assert.equal(await coverage.count(), 0);
});

test('a version without calibration leads to its tab, which calibrates it', options, async (t) => {
  await train(app, {
    dataset: 'fashion-mnist',
    modelName: 'unheld',
    network: { hidden: [4] },
    training: { epochs: 1, batchSize: 512, validation: null },
  });
  const page = await openTry(t, { path: '#/try?unheld', expected: /status of 409/ });
  await upload(page, 'boot.png', 'image/png', boot);
  await answer(page).getByText('%').waitFor();
  await page.getByLabel('Answers with a guarantee').check();
  await page.getByRole('alert').getByText('not-calibrated').waitFor();
  await page.getByRole('link', { name: 'Calibrate unheld@1' }).click();
  await page.getByRole('tab', { name: 'Coverage', selected: true }).waitFor();
  await page.getByText('The version has no calibration yet.').waitFor();
  await page.getByLabel('Calibrate on').selectOption('test');
  await pressByKeyboard(page, 'Calibrate');
  await page.getByText(/^10,000 test images of fashion-mnist/).waitFor();
  const { calibration } = (await app.inject('/v1/models/unheld/versions/1')).json<ModelVersion>();
  await page.getByText(`${calibration!.temperature.toPrecision(4)}`).waitFor();
  await page.getByText('holds: these images had no influence on the version').waitFor();
  await page.getByLabel('Calibrate on').selectOption('train');
  await page.getByRole('button', { name: 'Calibrate again' }).click();
  await page.getByText(/^approximate: these images also trained the version/).waitFor();
});

test('everything works by keyboard: drawing, undo, and an image of a data set', options, async (t) => {
  const page = await openTry(t);
  await page.getByLabel('Version').focus();
  await page.keyboard.press('Tab');
  await page.locator('.try-pad:focus-visible').waitFor();
  await page.keyboard.press('Space');
  for (let i = 0; i < 6; i++) await page.keyboard.press('Shift+ArrowDown');
  await page.getByText('Row 21, column 15: 255 of 255').waitFor();
  await answer(page).getByText('%').waitFor();
  for (let i = 0; i < 7; i++) await page.keyboard.press('Control+z');
  await page.getByText('Row 21, column 15: black').waitFor();

  await page.getByLabel('Index').focus();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('2');
  await page.keyboard.press('Enter');
  await untilPredicted(page, 'Trouser');
  await page.getByText('Image 2 of test, true class Trouser').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForFunction("document.querySelector('#try-index').value !== '2'");
});

test('problems are shown at their fields, and a pasted image replaces them', options, async (t) => {
  const page = await openTry(t, {
    width: 360,
    colorScheme: 'dark',
    expected: /status of 4\d\d/,
  });
  await upload(page, 'notes.txt', 'text/plain', Buffer.from('not an image'));
  await page.locator('#try-file[aria-invalid]').waitFor();
  assert.match(String(await page.locator('#try-file-error').textContent()), /notes\.txt is not an image/);
  await upload(page, 'request.json', 'application/json', Buffer.from('{"image":[]}'));
  await page.locator('#try-file-error').getByText('request.json is not an image').waitFor();
  await page.getByLabel('Index').fill('10000');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.locator('#try-index[aria-invalid]').waitFor();
  assert.match(String(await page.locator('#try-index-error').textContent()), /0 to 9999/);

  await page.evaluate(
    `{
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob('${boot.toString('base64')}'), (each) => each.charCodeAt(0));
      data.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
      dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));
    }`,
  );
  await untilPredicted(page, 'Ankle boot');
  assert.equal(await page.locator('#try-file[aria-invalid]').count(), 0);
  await page.getByText(/For Ankle boot/).waitFor();
});

test('a file that is dropped on the screen is predicted', options, async (t) => {
  const page = await openTry(t);
  await pad(page).waitFor();
  const isDropCancelled = await page.evaluate(
    `(async () => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob('${boot.toString('base64')}'), (each) => each.charCodeAt(0));
      data.items.add(new File([bytes], 'dropped.png', { type: 'image/png' }));
      const send = (type) =>
        document.querySelector('h1').dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
      // The screen begins to listen just after it is drawn.
      while (send('dragover')) await new Promise(requestAnimationFrame);
      return !send('drop');
    })()`,
  );
  assert.ok(isDropCancelled, 'the browser does not show the file itself');
  await page.getByText('dropped.png', { exact: true }).waitFor();
  await untilPredicted(page, 'Ankle boot');
});

test('an address names the version, and a model that does not exist is reported', options, async (t) => {
  const page = await openTry(t, { path: '#/try?small%401', expected: /status of 404/ });
  assert.equal(await page.getByLabel('Version').inputValue(), '1');
  await page.getByLabel('Version').selectOption('');
  assert.match(page.url(), /#\/try\?small$/);
  await page.goto(`${url}/#/try?small%409`);
  await page.getByText('small has no version or alias 9. Choose another one.').waitFor();
  await page.goto(`${url}/#/try?missing`);
  await page.getByText('The model missing does not exist. Choose another one.').waitFor();
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('alert').getByText('model-not-found').waitFor();
});
