import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { LabReport } from '../../../../src/domain/reports/lab-report.ts';
import { npyBytes } from '../../../../src/formats/arrays/npy.ts';
import { collectMessages, startBrowser, withoutBrowser } from '../../../support/servers/browser.ts';
import { startService, temporaryDirectory, tiny, train } from '../../../support/start-service.ts';
import { upload } from '../../upload.ts';

const file = { after };
const { app } = await startService(file);
const address = await app.listen({ host: '127.0.0.1', port: 0 });
const directory = await temporaryDirectory(file);
const browser = withoutBrowser ? null! : await startBrowser(file);
const MAX_BYTES = 300_000;
const MAX_PAGES = 10;

/** A training with the notebook's network, and with as many epochs as a report can list. */
const job = await train(
  app,
  tiny({
    network: { hidden: [40] },
    training: { epochs: 100, batchSize: 256, validation: { fraction: 0.1 } },
  }),
);

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the report opens offline, without messages and requests, and prints to at most ten pages: ${colorScheme}`, {
    skip: withoutBrowser,
  }, async () => {
    const { rawPayload } = await app.inject(`/v1/training-jobs/${job.id}/report?last=100`);
    assert.ok(rawPayload.length <= MAX_BYTES, `${rawPayload.length} bytes`);
    const url = pathToFileURL(join(directory, `${colorScheme}.html`)).href;
    await writeFile(new URL(url), rawPayload);
    const context = await browser.newContext({
      offline: true,
      colorScheme,
      viewport: { width: 900, height: 800 },
    });
    const page = await context.newPage();
    const messages = collectMessages(page);
    const requests: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith('data:')) requests.push(request.url());
    });
    await page.goto(url);
    assert.deepEqual(
      await page
        .locator('img')
        .evaluateAll(
          (images) =>
            images.filter((image) => (image as unknown as { naturalWidth: number }).naturalWidth === 0)
              .length,
        ),
      0,
    );
    const paper = await page.locator('body').evaluate((body) => {
      const { backgroundColor } = (
        globalThis as unknown as { getComputedStyle(element: unknown): { backgroundColor: string } }
      ).getComputedStyle(body);
      return backgroundColor;
    });
    assert.equal(paper, colorScheme === 'dark' ? 'rgb(21, 24, 29)' : 'rgb(255, 255, 255)');
    // Nothing is wider than the page.
    assert.equal(
      await page.locator('html').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth),
      0,
    );
    const pdf = await page.pdf({ preferCSSPageSize: true });
    const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)!.length;
    assert.ok(pages >= 3 && pages <= MAX_PAGES, `${pages} pages`);
    assert.deepEqual(messages, []);
    assert.deepEqual(requests, [url]);
  });
}

test('the service sends a page that its own policy allows', { skip: withoutBrowser }, async () => {
  const page = await browser.newPage();
  const messages = collectMessages(page);
  await page.goto(`${address}/v1/training-jobs/${job.id}/report?path=false`);
  assert.equal(await page.locator('h1').textContent(), 'Lab report: fashion-mnist');
  assert.deepEqual(messages, []);
});

test('sections that are too costly are left out, with the command that produces them', async () => {
  const images = npyBytes(
    new Uint8Array(30 * 784).map((_, n) => (n * 31) % 251),
    [30, 28, 28],
  );
  const labels = npyBytes(
    new Uint8Array(30).map((_, n) => n % 3),
    [30],
  );
  const uploaded = await upload(app, {
    train_images: images,
    train_labels: labels,
    test_images: images,
    test_labels: labels,
  });
  const { id } = await train(
    app,
    tiny({
      dataset: uploaded.json().id,
      modelName: 'wide',
      network: { hidden: [1024, 256] },
      training: { epochs: 1, batchSize: 8, validation: null },
    }),
  );
  const url = `/v1/training-jobs/${id}/report`;
  const headers = { accept: 'application/json' };
  const { omitted, gradientCheck } = (
    await app.inject({ url: `${url}?path=false`, headers })
  ).json<LabReport>();
  assert.equal(gradientCheck, null);
  const of = (section: string) => omitted.find((each) => each.section === section)!;
  assert.match(of('gradient-check').reason, /^This check takes [\d.]+ times the limit per request\./);
  assert.match(of('weights').reason, /^The first layer has 1024 units\./);
  // The path of the other training is cached.
  const other = await app.inject({ url: `/v1/training-jobs/${job.id}/report?path=false`, headers });
  const [path] = other.json<LabReport>().omitted;
  for (const { curl } of [of('gradient-check'), of('weights'), path!]) {
    const produced = await promisify(execFile)('sh', ['-c', `ATELIER=${address}; ${curl}`], {
      cwd: directory,
    });
    assert.equal(produced.stderr, '');
  }
  assert.match((await readFile(join(directory, 'path.svg'))).toString(), /^<svg /);
  assert.match((await readFile(join(directory, 'weights.png'))).toString('latin1', 1, 4), /^PNG$/);
});
