/** Every screen, filled, empty and with an error: axe-core, reflow and hostile names. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { zipSync } from 'fflate';
import type { Page } from 'playwright-core';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import type { Search } from '../../src/domain/searches/representation.ts';
import { shapeFolders } from '../datasets/upload/shapes.ts';
import { upload } from '../http/upload.ts';
import { smallSearch, untilSearch } from '../support/search-outcome.ts';
import { requestJson } from '../support/start-process.ts';
import { cancelJob, endless, isUnderway, queueJob, tiny, train, untilJob } from '../support/start-service.ts';
import { assertAccessible, openPage, options, startPageService } from './page.ts';

const HOSTILE = '<img src=x onerror=alert(1)>';
const IN_ADDRESS = encodeURIComponent(HOSTILE);
const service = options.skip ? null : await startPageService({ after });
const { app, url } = service ?? { app: null!, url: '' };

/** An address, and what shows that its screen is complete. Steps in between are in `act`. */
type State = readonly [address: string, ready: string, act?: (page: Page) => Promise<unknown>];

const click = (role: 'button' | 'tab', name: string) => (page: Page) =>
  page.getByRole(role, { name, exact: true }).click();

/** Visits the states one after another in the same document, as a user does. */
async function assertAllAccessible(page: Page, states: readonly State[]): Promise<void> {
  const { origin } = new URL(page.url());
  for (const [address, ready, act] of states) {
    await page.goto(`${origin}/${address}`);
    await act?.(page);
    await page.getByText(ready).first().waitFor({ state: 'attached' });
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    await assertAccessible(page);
    assert.equal(await page.locator('img[src="x"]').count(), 0, `${address} shows a name as markup`);
  }
}

/** A data set with a hostile name and a hostile class. */
async function uploadHostile(): Promise<DatasetSummary> {
  const shapes = Object.entries(await shapeFolders(14, 4));
  const files = shapes.map(([path, bytes]) => [path.replace('circle', HOSTILE), new Uint8Array(bytes)]);
  const response = await upload(app, {
    file: Buffer.from(zipSync(Object.fromEntries(files))),
    name: HOSTILE,
  });
  return response.json();
}

test('screens without any content are accessible', options, async (t) => {
  const { url: empty } = await startPageService(t, { DATASETS: 'none' });
  const page = await openPage(t, empty, { path: '#/train', expected: /status of 4\d\d/ });
  await assertAllAccessible(page, [
    ['#/train', 'Hidden layers'],
    ['#/jobs', 'No network has been trained yet.'],
    ['#/compare', 'Show the jobs'],
    ['#/models', 'There are no models yet.'],
    ['#/try', 'There is no model yet.'],
    ['#/check', 'Check the gradient'],
    ['#/data', 'There is no data set yet.', chooseFile],
    ['#/data', 'Remember in this tab', click('button', 'Key')],
  ]);
});

test('content with hostile names is accessible', options, async (t) => {
  const { id: dataset } = await uploadHostile();
  const metadata = { [HOSTILE]: HOSTILE };
  const training = { epochs: 3, batchSize: 8, validation: { fraction: 0.2 } };
  const shapes = tiny({ dataset, modelName: 'shapes', metadata, training, gradientCheck: true });
  const [one, other] = [await train(app, { ...shapes, seed: 1 }), await train(app, { ...shapes, seed: 2 })];
  const search = await requestJson<Search>(
    `${url}/v1/searches`,
    smallSearch({ dataset, metadata, training }),
  );
  await untilSearch(url, search.id);
  const running = await queueJob(app, { ...endless, metadata });
  await untilJob(app, running.id, isUnderway);

  // The preview of a search with one setting is rejected while the form is filled in.
  const page = await openPage(t, url, { expected: /status of 422/ });
  await assertAllAccessible(page, [
    [`#/jobs/${running.id}`, 'epoch'],
    [`#/jobs/${running.id}`, 'Cancel the job', click('button', 'Cancel')],
  ]);
  await cancelJob(app, running.id);
  const job = `#/jobs/${one.id}`;
  const version = '#/models/shapes/1';
  await assertAllAccessible(page, [
    [
      '#/train',
      'parameters',
      async () => {
        for (const group of await page.locator('.train-groups summary').all()) await group.click();
      },
    ],
    [`#/train?dataset=${dataset}&training/batchSize=8`, 'Search 2 settings', varyRate],
    [`#/jobs?selected=${one.id},${other.id}`, 'of at most 8 jobs selected'],
    [job, 'Loss by epoch'],
    [`${job}?tab=epochs`, 'as CSV'],
    [
      `${job}?tab=check`,
      'The gradient check before the training passed.',
      click('button', 'Check each block'),
    ],
    [`${job}?tab=checkpoints`, `${one.id}@`],
    [`${job}?tab=path`, 'Path', click('button', 'Compute the path')],
    [`${job}?tab=request`, HOSTILE],
    [`${job}?tab=receipt`, one.digest!],
    [`#/compare?${one.id},${other.id}`, "McNemar's test", click('button', 'Test on the same images')],
    [`#/searches/${search.id}`, 'Trials by rung'],
    ['#/models', 'shapes'],
    ['#/models', 'Class names', importForm],
    ['#/models/shapes', 'champion → '],
    ['#/data', 'It can be dropped here.', (page) => page.getByLabel('A folder').check()],
    [version, HOSTILE],
    [`${version}?cell=0-0`, `${HOSTILE} → ${HOSTILE}`],
    [`${version}?tab=coverage`, 'Calibrate on'],
    [`${version}?tab=weights`, 'Weights'],
    [`${version}?tab=compare&with=shapes@2`, 'McNemar', click('button', 'Compare')],
    [`${version}?tab=aliases`, 'champion'],
    [`${version}?tab=export`, 'ONNX'],
    [`${version}?tab=card`, HOSTILE],
    [version, 'Delete the version', click('button', 'Delete')],
    ['#/try?shapes', `true class ${HOSTILE}`, click('button', 'Show')],
    ['#/check?', 'Passed', click('button', 'Check the gradient')],
    ['#/data', HOSTILE],
    [`#/data/${dataset}`, HOSTILE],
    [`#/data/${dataset}`, `Delete ${HOSTILE}?`, click('button', 'Delete')],
  ]);
});

async function chooseFile(page: Page): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose a file' }).click();
  await chooser;
}

async function varyRate(page: Page): Promise<void> {
  await page.getByLabel('Vary Learning rate').check();
  await page.getByLabel('Learning rate', { exact: true }).fill('0.1, 0.2');
}

async function importForm(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Import a model' }).click();
  await page.getByText('What the file does not state').click();
}

test('errors are accessible', options, async (t) => {
  const optimizer = { type: 'sgd', learningRate: 100, weightDecay: 100 } as const;
  const training = { epochs: 2, batchSize: 1024, validation: { fraction: 0.98 }, optimizer };
  const diverged = await train(app, tiny({ network: { hidden: [] }, training }));
  await train(app, tiny({ modelName: 'small' }));
  const page = await openPage(t, url, { path: '#/jobs', expected: /status of 4\d\d/ });
  const text = { name: `${HOSTILE}.txt`, mimeType: 'text/plain', buffer: Buffer.from('not an image') };
  await assertAllAccessible(page, [
    ['#/train?training/batchSize=4096', 'Must be at most 1024, but is 4096.'],
    [`#/jobs?status=${IN_ADDRESS}`, 'invalid-request'],
    [`#/jobs?modelName=${IN_ADDRESS}`, 'No job matches these filters.'],
    [`#/jobs/${diverged.id}`, diverged.error!.message],
    [`#/jobs/${IN_ADDRESS}`, 'training-job-not-found'],
    [`#/compare?${IN_ADDRESS}`, 'training-job-not-found'],
    [`#/searches/${IN_ADDRESS}`, 'search-not-found'],
    [
      '#/models',
      'Must be 1–64 of',
      async () => {
        await importForm(page);
        await page.getByLabel('File').setInputFiles(text);
        await page.getByLabel('Model name').fill(HOSTILE);
        await page.keyboard.press('Enter');
      },
    ],
    ['#/models/small/99', 'model-not-found'],
    [`#/models/${IN_ADDRESS}/1`, 'Models'],
    ['#/try?small', 'unsupported-media-type', (page) => page.getByLabel('Image file').setInputFiles(text)],
    [
      '#/check',
      'Hidden layers',
      async () => {
        await page.getByLabel('Hidden layers').fill(HOSTILE);
        await page.keyboard.press('Enter');
        await page.locator('#check-hidden[aria-invalid]').waitFor();
      },
    ],
    [
      '#/data',
      HOSTILE,
      async () => {
        await page.getByLabel('Archive', { exact: true }).setInputFiles(text);
        await page.getByRole('button', { name: 'Check' }).click();
        await page.locator('#upload-file[aria-invalid]').waitFor();
      },
    ],
    [`#/data/${IN_ADDRESS}`, 'dataset-not-found'],
    [`#/${IN_ADDRESS}`, 'No screen has this address.'],
  ]);
});
