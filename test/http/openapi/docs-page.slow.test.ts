import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { collectMessages, startBrowser, withoutBrowser } from '../../support/servers/browser.ts';
import { startService, testImage, train } from '../../support/start-service.ts';

const file = { after };
const { app } = await startService(file);
const service = await app.listen({ host: '127.0.0.1', port: 0 });
await train(app);
const options = { skip: withoutBrowser };

/** Loads /docs once, because that takes seconds, and collects what it writes to the console. */
async function openDocs(): Promise<{ page: Page; messages: string[] }> {
  const page = await (await startBrowser(file)).newPage();
  page.setDefaultTimeout(180_000);
  const messages = collectMessages(page);
  await page.goto(`${service}/docs`);
  await page.locator('.opblock').first().waitFor();
  return { page, messages };
}
const opened = withoutBrowser === false ? openDocs() : null;

/** Opens the form of an operation; its fields hold what the page fills in. */
async function tryOut(operationId: string): Promise<Locator> {
  const { page } = await opened!;
  const operation = page.locator(`.opblock[id$="-${operationId}"]`);
  await operation.locator('.opblock-summary-control').click();
  await operation.locator('.try-out__btn').click();
  return operation;
}

const setParameter = (operation: Locator, name: string, value: string) =>
  operation.locator(`tr[data-param-name="${name}"] input`).fill(value);

async function setFile(operation: Locator, name: string, buffer: Buffer): Promise<void> {
  const input = operation.locator(`tr[data-property-name="${name}"] input[type=file]`);
  await input.setInputFiles({ name: `${name}.bin`, mimeType: 'application/octet-stream', buffer });
}

async function execute(operation: Locator): Promise<{ status: number; response: Locator }> {
  await operation.locator('.execute').click();
  const response = operation.locator('.live-responses-table tbody tr.response').first();
  const status = await response.locator('.response-col_status').textContent();
  return { status: Number.parseInt(status!, 10), response };
}

/** Width of a decoded image in pixels; rejects if the image cannot be shown. */
const widthOf = (image: Locator): Promise<number> =>
  image.evaluate(async (shown: { decode(): Promise<void>; naturalWidth: number }) => {
    await shown.decode();
    return shown.naturalWidth;
  });

const contentOf = async (response: Locator) => (await response.textContent()) ?? '';

test('/docs loads without a message, with the title and the logo of the service', options, async () => {
  const { page, messages } = await opened!;
  assert.equal(await page.title(), 'Atelier');
  const logo = page.locator('.topbar a.link img');
  await logo.waitFor();
  assert.ok((await widthOf(logo)) > 0);
  const icon = await page.locator('link[rel=icon]').getAttribute('href');
  const response = await app.inject(new URL(icon!, `${service}/docs`).pathname);
  assert.deepEqual([response.statusCode, response.headers['content-type']], [200, 'image/svg+xml']);
  assert.deepEqual(messages, []);
});

test('a PNG response is shown as an image', options, async () => {
  const operation = await tryOut('getDatasetImage');
  await setParameter(operation, 'id', 'fashion-mnist');
  await setParameter(operation, 'index', '7');
  const { status, response } = await execute(operation);
  assert.equal(status, 200);
  const image = response.locator('img');
  await image.waitFor();
  assert.equal(await widthOf(image), 28);
  assert.deepEqual((await opened!).messages, []);
});

test('a list is not filtered by the prefilled fields', options, async () => {
  const operation = await tryOut('listTrainingJobs');
  const { status, response } = await execute(operation);
  assert.equal(status, 200, await contentOf(response));
  assert.match(await contentOf(response), /"id": "job_/);
  assert.deepEqual((await opened!).messages, []);
});

test('a data set is uploaded with the prefilled fields', options, async () => {
  const operation = await tryOut('uploadDataset');
  const images = npyBytes(
    Uint8Array.from({ length: 8 * 784 }, (_, n) => (n * 31) % 251),
    [8, 28, 28],
  );
  const labels = npyBytes(Uint8Array.of(0, 1, 2, 0, 1, 2, 0, 1), [8]);
  for (const split of ['train', 'test']) {
    await setFile(operation, `${split}_images`, Buffer.from(images));
    await setFile(operation, `${split}_labels`, Buffer.from(labels));
  }
  const { status, response } = await execute(operation);
  assert.equal(status, 201, await contentOf(response));
  assert.match(await contentOf(response), /"classNames": \[\s*"0",\s*"1",\s*"2"\s*\]/);
  assert.deepEqual((await opened!).messages, []);
});

test('a model is imported with the prefilled fields', options, async () => {
  const operation = await tryOut('importModel');
  const { rawPayload } = await app.inject('/v1/models/fashion-mnist/versions/1/export?format=safetensors');
  await setFile(operation, 'file', rawPayload);
  const { status, response } = await execute(operation);
  assert.equal(status, 201, await contentOf(response));
  assert.match(await contentOf(response), /"assumed": \[\]/);
  assert.deepEqual((await opened!).messages, []);
});

test('an image file is predicted, and named in the response', options, async () => {
  const operation = await tryOut('predict');
  await setParameter(operation, 'name', 'fashion-mnist');
  await operation.locator('select.content-type').first().selectOption('multipart/form-data');
  await setFile(operation, 'file', await testImage(app, 0, 'image/png'));
  const { status, response } = await execute(operation);
  assert.equal(status, 200, await contentOf(response));
  assert.match(await contentOf(response), /"file": "file\.bin"/);
});
