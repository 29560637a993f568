/** The page with images of 8×8 in grey and of 64×64 in colour. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import { upload } from '../http/upload.ts';
import { type Scope, tiny, train } from '../support/start-service.ts';
import { bars, COLOUR_CLASSES, colourShape, colourShapes } from './drawings.ts';
import {
  assertAccessible,
  openPage,
  options,
  type PageOptions,
  pressByKeyboard,
  startPageService,
  until,
} from './page.ts';

const { app, url } = await startPageService({ after });
const archives = { bars: await bars(), shapes: await colourShapes() };

async function uploadArchive(name: keyof typeof archives): Promise<string> {
  const response = await upload(app, { file: archives[name], name });
  return response.json<DatasetSummary>().id;
}

/** Each model is trained by the first test that needs it. */
const models = new Map<string, Promise<string>>();
const trainOnce = (name: string, start: () => Promise<string>): Promise<string> => {
  const started = models.get(name) ?? start();
  models.set(name, started);
  return started;
};

/** @returns the id of the job */
const trainBars = () =>
  trainOnce('bars', async () => {
    const training = { epochs: 20, batchSize: 4, validation: { fraction: 0.2 } };
    const dataset = await uploadArchive('bars');
    return (await train(app, tiny({ dataset, modelName: 'bars', network: { hidden: [8] }, training }))).id;
  });

const trainShapes = () =>
  trainOnce('shapes', async () => {
    const optimizer = { type: 'adam', learningRate: 0.0003 } as const;
    const validation = { fraction: 0.2 };
    const training = { epochs: 10, batchSize: 4, standardize: true, optimizer, validation };
    const dataset = await uploadArchive('shapes');
    const request = tiny({ dataset, modelName: 'shapes', network: { hidden: [8] }, training });
    // The second version is compared with the first.
    await train(app, { ...request, training: { ...training, epochs: 1 } });
    return (await train(app, request)).id;
  });

const trainClothes = () =>
  trainOnce('clothes', async () => (await train(app, tiny({ modelName: 'clothes' }))).id);

/** Widths and heights of canvases or images. */
const sizes = (page: Page, selector: string): Promise<string[]> =>
  page
    .locator(selector)
    .evaluateAll((all) =>
      (
        all as unknown as { naturalWidth?: number; naturalHeight?: number; width: number; height: number }[]
      ).map((each) => `${each.naturalWidth ?? each.width}×${each.naturalHeight ?? each.height}`),
    );

/** Waits until the pixel in the middle of a canvas has a colour. */
const untilMiddle = (page: Page, label: string, colour: string): Promise<unknown> =>
  until(
    page,
    `((canvas) => {
      const copy = new OffscreenCanvas(64, 64).getContext('2d');
      copy.drawImage(canvas, 0, 0);
      return copy.getImageData(32, 32, 1, 1).data.join() === '${colour}';
    })(document.querySelector('canvas[aria-label="${label}"]'))`,
  );

const answer = (page: Page) => page.locator('.try-answer');
const chooseFile = (page: Page, name: string, buffer: Buffer) =>
  page.getByLabel('Image file').setInputFiles({ name, mimeType: 'image/png', buffer });

test('an archive of 8×8 images keeps their shape, and the report states why', options, async (t) => {
  const page = await openPage(t, url, { path: '#/data' });
  const archive = { name: 'bars.zip', mimeType: 'application/zip', buffer: archives.bars };
  await page.getByLabel('Archive', { exact: true }).setInputFiles(archive);
  await page.getByLabel('Name', { exact: true }).fill('bars');
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByText('The data set has been uploaded and checked.').waitFor();
  await page
    .getByText('8×8: All images have 8×8 pixels, and 0 of 132 that were looked at are in colour.')
    .waitFor();
  await page.locator('.data-images img').nth(35).waitFor();
  assert.deepEqual(new Set(await sizes(page, '.data-images img')), new Set(['8×8']));
  const rendering = "getComputedStyle(document.querySelector('.data-images img')).imageRendering";
  assert.equal(await page.evaluate(rendering), 'pixelated');
  await page.goto(`${url}/#/data`);
  await page.getByRole('row', { name: /^bars 8×8 2 108 – 24 / }).waitFor();
  await page.getByRole('row', { name: /^fashion-mnist 28×28 / }).waitFor();
});

test(
  'a requested shape need not be square, and a wrong one is explained at its field',
  options,
  async (t) => {
    const page = await openPage(t, url, { path: '#/data', expected: /status of 400/ });
    const archive = { name: 'shapes.zip', mimeType: 'application/zip', buffer: archives.shapes };
    await page.getByLabel('Archive', { exact: true }).setInputFiles(archive);
    const shape = page.getByLabel('Image shape');
    assert.equal(await shape.getAttribute('placeholder'), 'auto');
    await shape.fill('7×7');
    await page.getByRole('button', { name: 'Check' }).click();
    await page.locator('#upload-imageShape[aria-invalid]:focus').waitFor();
    assert.match(String(await page.locator('#upload-imageShape-error').textContent()), /8/);
    await shape.fill('10×24×3');
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByRole('button', { name: 'Upload' }).click();
    await page.getByText('As requested.').waitFor();
    await page.locator('.data-images img').nth(35).waitFor();
    assert.deepEqual(new Set(await sizes(page, '.data-images img')), new Set(['24×10']));
    await assertAccessible(page);
  },
);

test('the screens show a model of 8×8 images, whose pad has 8 rows and columns', options, async (t) => {
  const job = await trainBars();
  const dataset = await uploadArchive('bars');
  const page = await openPage(t, url, { path: `#/train?dataset=${dataset}` });
  await page.getByText('Images of 8×8, 2 classes').waitFor();
  await page.getByText('64-40-2, 2,682 parameters').waitFor();
  await page.goto(`${url}/#/jobs/${job}`);
  await page.getByRole('link', { name: 'bars@1' }).click();
  await page.locator('dd', { hasText: /^8×8$/ }).waitFor();
  await page.goto(`${url}/#/models/bars/1?tab=weights`);
  await page.getByText('W1: one tile for each of the 8 units, 8×8 weights each. Red is positive').waitFor();
  await page.getByRole('link', { name: 'Try it' }).click();

  const pad = page.getByRole('application', { name: 'Drawing pad' });
  await pad.focus();
  await page.getByText('Row 5, column 5: black').waitFor({ state: 'attached' });
  assert.deepEqual(await sizes(page, '.try-pad canvas'), ['8×8']);
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowUp');
  for (let i = 0; i < 7; i++) await page.keyboard.press('Shift+ArrowDown');
  await page.getByText('Row 8, column 5: 255 of 255').waitFor({ state: 'attached' });
  await answer(page).getByText('column').waitFor();
  await page.locator('.try-doctor p').first().waitFor();
  await page.getByText(/^For column/).waitFor();
  assert.deepEqual(await sizes(page, '.try-maps canvas'), ['8×8', '8×8', '8×8']);
  await assertAccessible(page);

  await page.getByRole('button', { name: 'Clear' }).click();
  const { x, y, width, height } = (await pad.boundingBox())!;
  assert.equal(width, height);
  await page.getByLabel('Brush').selectOption('broad');
  await page.mouse.move(x + 1, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width - 1, y + height / 2, { steps: 4 });
  await page.mouse.up();
  await answer(page).getByText('row').waitFor();

  // A checkpoint has the shape of the data set of its job.
  const checkpoints = await app.inject(`/v1/training-jobs/${job}/checkpoints`);
  const [{ step }] = checkpoints.json<{ data: [{ step: number }] }>().data;
  await page.goto(`${url}/#/try?${job}%40${step}`);
  await page.getByLabel('Fit of files into 8×8').waitFor();
  await page.locator('.try-pad canvas[width="8"]').waitFor();
});

test('a drawing is left out when a model of another shape is chosen', options, async (t) => {
  await Promise.all([trainBars(), trainClothes()]);
  const page = await openPage(t, url, { path: '#/try?bars' });
  await page.getByRole('application', { name: 'Drawing pad' }).focus();
  await page.keyboard.press('Space');
  await answer(page).getByText('%').waitFor();
  await page.getByLabel('Model', { exact: true }).selectOption('clothes');
  await page.getByText('Draw, upload, paste, drop or pick an image.').waitFor();
  await page.locator('.try-pad canvas[width="28"]').waitFor();
  await page.getByLabel('Model', { exact: true }).selectOption('bars');
  await answer(page).getByText('%').waitFor();
  await page.locator('.try-pad canvas[width="8"]').waitFor();
});

/** Opens the Try screen with the model of images in colour. */
async function openShapes(t: Scope, pageOptions: PageOptions = {}): Promise<Page> {
  await trainShapes();
  return openPage(t, url, { path: '#/try?shapes', ...pageOptions });
}

test('a model of colour images takes files, the clipboard and images of data sets', options, async (t) => {
  const page = await openShapes(t);
  await page.getByText('The model takes images in colour, 64×64×3, so nothing can be drawn.').waitFor();
  assert.equal(await page.locator('.try-pad').count(), 0);
  await pressByKeyboard(page, 'Show');
  await page.getByText('Image 0 of test, true class blue-disc').waitFor();
  await answer(page).getByText('%').waitFor();
  await page.getByText(/^For /).waitFor();
  assert.deepEqual(await sizes(page, '.try-picture canvas'), ['64×64']);
  assert.deepEqual(await sizes(page, '.try-maps canvas'), ['64×64', '64×64', '64×64']);
  await untilMiddle(page, 'Network input', '40,60,210,255');

  const red = await colourShape('red-square');
  await chooseFile(page, 'red.png', red);
  await page.getByText('red.png', { exact: true }).waitFor();
  await untilMiddle(page, 'Network input', '210,50,40,255');
  await untilMiddle(page, 'Image of 64 by 64 pixels', '210,50,40,255');
  await assertAccessible(page);

  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByText('Upload, paste, drop or pick an image.').waitFor();
  await page.evaluate(
    `{
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob('${red.toString('base64')}'), (each) => each.charCodeAt(0));
      data.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
      dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));
    }`,
  );
  await page.getByText('Pasted image').waitFor();
  await answer(page).getByText('%').waitFor();
});

test('an image of a data set with another shape is rejected by the service', options, async (t) => {
  await trainBars();
  const page = await openPage(t, url, { path: '#/try?bars', expected: /status of 422/ });
  await page.getByLabel('Data set').selectOption('fashion-mnist');
  // It has no validation split.
  assert.deepEqual(await page.getByLabel('Split').locator('option').allTextContents(), ['test', 'train']);
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('alert').getByText('invalid-image-size').waitFor();
  assert.match(
    String(await page.getByRole('alert').textContent()),
    /An image has the wrong shape\. .*a row must have 8/,
  );
  assert.deepEqual(await sizes(page, '.try-picture canvas'), ['28×28']);
  await page.getByText('The model takes images of 8×8. Clear this one to draw.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.locator('.try-pad canvas[width="8"]').waitFor();
});

test('the camera takes one picture, and its refusal is explained', options, async (t) => {
  const page = await openShapes(t, { expected: /camera is not allowed/ });
  await pressByKeyboard(page, 'Open the camera');
  await until(page, "document.querySelector('.try-camera')?.videoWidth > 0");
  await assertAccessible(page);
  await page.getByRole('button', { name: 'Take the picture' }).click();
  await page.getByText('Photograph').waitFor();
  await answer(page).getByText('%').waitFor();
  assert.deepEqual(await sizes(page, '.try-picture canvas'), ['64×64']);
  assert.equal(await page.locator('.try-camera').count(), 0);

  // As behind a proxy that allows no camera.
  await page.route(`${url}/`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), 'permissions-policy': 'camera=()' } });
  });
  await page.reload();
  await page.getByRole('button', { name: 'Open the camera' }).click();
  await page.getByText('The browser does not allow this page to use the camera.').waitFor();

  // As in an insecure context: over plain HTTP from another machine.
  await page.addInitScript(
    "Object.defineProperty(Navigator.prototype, 'mediaDevices', { value: undefined })",
  );
  await page.reload();
  await page.getByLabel('Image file').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Open the camera' }).count(), 0);
});

test('the screens of a model of colour images are accessible', options, async (t) => {
  const job = await trainShapes();
  const dataset = await uploadArchive('shapes');
  const page = await openPage(t, url, { path: `#/data/${dataset}` });
  await page.getByText(/^64×64×3: All images have 64×64 pixels/).waitFor();
  await page.locator('.data-images img').nth(35).waitFor();
  assert.deepEqual(new Set(await sizes(page, '.data-images img')), new Set(['64×64']));
  await assertAccessible(page);
  await page.goto(`${url}/#/train?dataset=${dataset}`);
  await page.getByText(`Images of 64×64×3, ${COLOUR_CLASSES.length} classes`).waitFor();
  await page.getByText('12288-40-3, 491,683 parameters').waitFor();
  await assertAccessible(page);
  await page.goto(`${url}/#/jobs/${job}`);
  await page.getByRole('link', { name: 'shapes@2' }).waitFor();
  await page.goto(`${url}/#/models/shapes`);
  await page.getByRole('cell', { name: '64×64×3' }).nth(1).waitFor();
  await page.goto(`${url}/#/models/shapes/2?tab=weights`);
  await page.getByText('64×64×3 weights each. In each colour, grey is zero').waitFor();
  await page.locator('img.model-weights').waitFor();
  await assertAccessible(page);
  await page.goto(`${url}/#/models/shapes/2?cell=0-0`);
  await page.getByRole('heading', { name: 'blue-disc → blue-disc' }).waitFor();
  await page.goto(`${url}/#/models/shapes/2?tab=compare&with=shapes@1`);
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page
    .getByText(/McNemar/)
    .first()
    .waitFor();
  await assertAccessible(page);
});
