/**
 * Takes the screenshots of the page in docs/images, from a service that runs on this machine and may be used for it: it
 * trains two versions of the model `mine` and moves their aliases.
 *
 *     STATE_DIR=$(mktemp -d) npm start
 *     node scripts/page-images.ts http://localhost:3000
 */
import { writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type { TrainingJob } from '../src/domain/jobs/training.ts';
import { startBrowser } from '../test/support/servers/browser.ts';

const FOLDER = new URL('../docs/images/', import.meta.url);
const WIDTH = 1280;
const [url = 'http://localhost:3000'] = process.argv.slice(2);

async function send<T>(method: string, path: string, body: unknown): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return (await response.json()) as T;
}

const train = (network: object, training: object) =>
  send<TrainingJob>('POST', '/v1/training-jobs', {
    dataset: 'fashion-mnist',
    modelName: 'mine',
    network,
    training,
  });

await train({ hidden: [40] }, { epochs: 5 });
const optimizer = { type: 'adam', learningRate: 0.001 };
const { id, model } = await train(
  { hidden: [64, 32] },
  { epochs: 12, optimizer, schedule: { type: 'cosine' } },
);
if (!model) throw new Error(`Job ${id} has not published a version within a minute.`);
const { version } = model;
await send('PUT', '/v1/models/mine/aliases/champion', { version });

const browser = await startBrowser({ after: () => {} });
const context = await browser.newContext({
  viewport: { width: WIDTH, height: 800 },
  reducedMotion: 'reduce',
});
await takePicture('train', '#/train', 880, (page) => page.locator('.train-cost dl').waitFor());
await takePicture('job', `#/jobs/${id}`, 900, (page) => page.getByText('Best epoch:').waitFor());
await takePicture('model-version', `#/models/mine/${version}`, 1270, showEvaluation);
await takePicture('try', '#/try?mine', 1050, showBoot);
await browser.close();

/** @param ready makes the page as it is shown, and waits for it */
async function takePicture(
  name: string,
  path: string,
  height: number,
  ready: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await context.newPage();
  await page.setViewportSize({ width: WIDTH, height });
  await page.goto(`${url}/${path}`);
  await ready(page);
  await page.waitForLoadState('networkidle');
  // Few colours make a small file.
  const picture = await sharp(await page.screenshot())
    .png({ palette: true, colours: 128, dither: 0, compressionLevel: 9 })
    .toBuffer();
  await writeFile(new URL(`page-${name}.png`, FOLDER), picture);
  await page.close();
}

async function showEvaluation(page: Page): Promise<void> {
  const evaluate = page.getByRole('button', { name: 'Evaluate and count a look' });
  const mistakes = page.getByRole('heading', { name: 'Most confident mistakes' });
  await evaluate.or(mistakes).waitFor();
  if (await evaluate.isVisible()) await evaluate.click();
  await mistakes.waitFor();
}

async function showBoot(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByText('Ankle boot').first().waitFor();
}
