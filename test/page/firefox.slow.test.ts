/** The page in Firefox: every screen, training, the drawing pad, light and dark. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'puppeteer-core';
import type { Search } from '../../src/domain/searches/representation.ts';
import { smallSearch } from '../support/search-outcome.ts';
import { startFirefox, withoutFirefox } from '../support/servers/firefox.ts';
import { requestJson } from '../support/start-process.ts';
import { type Scope, train } from '../support/start-service.ts';
import { REPORT_VIOLATIONS, startPageService } from './page.ts';

const file = { after };
const options = { skip: withoutFirefox };
const [firefox, service] = withoutFirefox
  ? []
  : await Promise.all([startFirefox(file), startPageService(file)]);
const { app, url } = service ?? { app: null!, url: '' };

const SMALL = {
  dataset: 'fashion-mnist',
  modelName: 'small',
  network: { hidden: [16] },
  training: { epochs: 1, validation: { fraction: 0.5 } },
};
const TWO_TRIALS = smallSearch({ method: { type: 'random', trials: 2 }, halving: null });
let training: ReturnType<typeof train> | undefined;
/** The job of the only model. */
const trained = () => (training ??= train(app, SMALL));

/** Opens a screen. At the end of the test, the page must not have written a message. */
async function open(t: Scope, path: string): Promise<Page> {
  const page = await firefox!.newPage();
  page.setDefaultTimeout(180_000);
  const messages: string[] = [];
  page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => messages.push(`error: ${error}`));
  await page.evaluateOnNewDocument(REPORT_VIOLATIONS);
  t.after(async () => {
    await page.close();
    assert.deepEqual(messages, []);
  });
  await page.goto(`${url}/${path}`);
  return page;
}

/** Waits until the page shows the text. */
const shows = (page: Page, text: string) => page.locator(`::-p-text(${text})`).wait();
/** By role, because Firefox also finds the label of a field by its name. */
const control = (page: Page, role: string, name: string) =>
  page.locator(`::-p-aria([name="${name}"][role="${role}"])`);

/**
 * Fills a field and sends its input event in one step. By default Puppeteer clears a field without an event and then types;
 * if a preview arrives in between, the page draws the field again with its old text, and the new one is appended.
 */
const fill = (page: Page, role: string, name: string, value: string) =>
  control(page, role, name).fill(value, { typingThreshold: 0 });

/** Waits until an expression holds in the page. */
const holds = (page: Page, expression: string) => page.waitForFunction(expression);

test('trains with the options of the form, and draws each epoch of the stream', options, async (t) => {
  const page = await open(t, '#/train?training/validation/fraction=0.9');
  const streams: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/events')) streams.push(request.url());
  });
  await fill(page, 'textbox', 'Hidden layers', '16');
  await fill(page, 'textbox', 'Epochs', '3');
  await fill(page, 'combobox', 'Optimizer', 'adam');
  await shows(page, '784-16-10, 12,730 parameters');
  await control(page, 'button', 'Train').click();
  await holds(page, `location.hash.startsWith('#/jobs/')`);
  await shows(page, 'epoch 3/3');
  await holds(
    page,
    `document.querySelector('figure path[stroke-linecap]')?.getAttribute('d').match(/M/g).length === 3`,
  );
  assert.equal(streams.length, 1);
});

test('every screen is shown', options, async (t) => {
  const { id } = await trained();
  const search = await requestJson<Search>(`${url}/v1/searches`, TWO_TRIALS);
  const page = await open(t, '');
  const screens: [address: string, heading: string, content: string][] = [
    ['train', 'Train', '784-40-10, 31,810 parameters'],
    ['jobs', 'Jobs', '1/1 epochs'],
    [`jobs/${id}`, 'small', 'Accuracy by epoch'],
    [`compare?${id}`, 'Compare jobs', 'Results at the best epoch'],
    [`searches/${search.id}`, 'tuned', 'Leaderboard'],
    ['models', 'Models', '12,730'],
    ['models/small/1', 'small@1', 'Most confident mistakes'],
    ['try?small', 'Try', 'Ankle boot'],
    ['check', 'Check', 'Check the gradient'],
    ['data', 'Data', 'fashion-mnist'],
    ['data/fashion-mnist', 'fashion-mnist', 'Looks at the test set'],
  ];
  for (const [address, heading, content] of screens) {
    await page.goto(`${url}/#/${address}`);
    await holds(page, `document.querySelector('h1')?.textContent.startsWith('${heading}')`);
    await shows(page, content);
  }
});

test('drawing by mouse gives a prediction', options, async (t) => {
  await trained();
  const page = await open(t, '#/try?small');
  // Waits until the pad no longer moves, because what is above it is still being loaded.
  await page.locator('.try-pad').hover();
  const { x, y, width } = (await (await page.$('.try-pad'))!.boundingBox())!;
  // Two trouser legs.
  for (const column of [0.38, 0.62]) {
    await page.mouse.move(x + width * column, y + width * 0.1);
    await page.mouse.down();
    await page.mouse.move(x + width * column, y + width * 0.9, { steps: 5 });
    await page.mouse.up();
  }
  await holds(page, `/^\\S+ [\\d.]+ %$/.test(document.querySelector('.try-answer').textContent)`);
});

test('light and dark are chosen by a button', options, async (t) => {
  const page = await open(t, '#/check');
  const colors = () =>
    page.evaluate(
      `(({ color, backgroundColor }) => color + ' on ' + backgroundColor)(getComputedStyle(document.body))`,
    );
  await control(page, 'button', 'Theme: auto').click();
  await control(page, 'button', 'Theme: light').wait();
  assert.equal(await colors(), 'rgb(26, 29, 33) on rgb(245, 246, 248)');
  await control(page, 'button', 'Theme: light').click();
  await control(page, 'button', 'Theme: dark').wait();
  assert.equal(await colors(), 'rgb(236, 239, 243) on rgb(14, 16, 19)');
});
