/** The screen of a search, in Chromium. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Search } from '../../src/domain/searches/representation.ts';
import { SMALL_DATA_DIR } from '../support/data-directory.ts';
import { type SearchBody, smallSearch, untilSearch } from '../support/search-outcome.ts';
import { requestJson } from '../support/start-process.ts';
import { openPage, options, pressByKeyboard, startPageService, untilStreamEnds } from './page.ts';

const { url } = await startPageService({ after }, { DATA_DIR: SMALL_DATA_DIR, TRAINING_WORKERS: '1' });
const create = (body: SearchBody) => requestJson<Search>(`${url}/v1/searches`, body);

const rows = (page: Page) => page.getByRole('region', { name: 'Leaderboard' }).locator('tbody tr');
/** Waits for a status of the search. The line below shows the final training, and that ends first. */
const status = (page: Page, text: string) =>
  page.locator('.search-progress').first().getByText(text, { exact: true }).waitFor();

/** Cells of the table under a chart. */
async function numbersOf(page: Page, title: string): Promise<string[][]> {
  const figure = page.locator('figure').filter({ has: page.getByRole('img', { name: title }) });
  await figure.getByText('Numbers').click();
  await figure.locator('tbody tr').first().waitFor();
  const rows = await figure.locator('tbody tr').all();
  return Promise.all(rows.map((row) => row.locator('td').allTextContents()));
}

test('a search is followed to its final model', options, async (t) => {
  const hostile = '<img src=x onerror=alert(1)>';
  const { id } = await create(smallSearch({ metadata: { note: hostile } }));
  const page = await openPage(t, url, { path: `#/searches/${id}` });
  await status(page, 'succeeded');
  const search = await requestJson<Search>(`${url}/v1/searches/${id}`);
  assert.equal(await rows(page).count(), 6);
  assert.equal(await rows(page).first().locator('td').first().textContent(), '1');
  const best = page.locator('dl.facts', { hasText: 'Validation accuracy' });
  assert.match(
    (await best.textContent())!,
    new RegExp(
      `^Trial${search.best!.trial}Hidden layers.*${(100 * search.best!.validationAccuracy).toFixed(2)} %`,
    ),
  );
  await page.getByText('sealed: trials have 0 looks at it').waitFor();
  await page.getByText('1 of 6 trials completed, 5 stopped · ').waitFor();
  await page.getByText('after 1, 2 epochs, the best 1 of 2 continue, at most to 4').waitFor();
  const result = await best.textContent();
  assert.ok(
    result!.endsWith(`Test accuracy${(100 * search.publication!.testAccuracy!).toFixed(2)} %`),
    result!,
  );
  assert.deepEqual(
    [await numbersOf(page, 'Objective by trial'), await numbersOf(page, 'Trials by rung')].map((rows) =>
      rows[0]!.map((_, column) => rows.filter((row) => row[column] !== '–').length),
    ),
    [
      [6, 6, 6, 6],
      [6, 6, 6, 6, 3, 1],
    ],
  );
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'CSV' }).first().click();
  assert.equal((await download).suggestedFilename(), `leaderboard-${id}.csv`);
  await page.getByRole('link', { name: `tuned@${search.model!.version}` }).click();
  await page.waitForURL(/#\/models\/tuned\//);
  await page.goBack();
  await page.getByRole('link', { name: 'list of its jobs' }).click();
  await page.getByRole('cell', { name: 'stopped' }).nth(4).waitFor();
  await page.getByText('trial 6').waitFor();
  await page.goBack();
  await rows(page).last().getByRole('link').click();
  await page.getByText('stopped it at a rung, after 1 epoch: the best 3 of 6 trials continued.').waitFor();
  await page.locator('.job-progress').getByText('stopped', { exact: true }).waitFor();
  await page.goBack();
  await page.getByRole('link', { name: 'Search again…' }).click();
  await page.waitForURL(/#\/train\?.*vary\/network\/hidden=8%3B%2012/);
  await page.getByRole('button', { name: 'Search 6 settings' }).waitFor();
  const streamEnds = untilStreamEnds(page);
  await page.goBack();
  await streamEnds;
  await pressByKeyboard(page, 'Delete');
  await pressByKeyboard(page, 'Delete the search');
  await page.waitForURL(/#\/jobs$/);
  assert.equal((await fetch(`${url}/v1/searches/${id}`)).status, 404);
});

test(
  'a search that published nothing shows the reason, and the epochs of its repeats',
  options,
  async (t) => {
    const { id } = await create(
      smallSearch({
        // The penalty makes the weights zero in each step.
        training: { epochs: 1, validation: { fraction: 0.95 }, l2: 10, optimizer: { learningRate: 0.1 } },
        vary: [{ path: '/network/hidden', choices: [[4], [8]] }],
        method: { type: 'grid' },
        halving: null,
        repeats: 2,
        final: { trainOn: 'training-part' },
      }),
    );
    const page = await openPage(t, url, { path: `#/searches/${id}` });
    await status(page, 'succeeded');
    const { publication } = await requestJson<Search>(`${url}/v1/searches/${id}`);
    await page.getByText(publication!.reason, { exact: true }).waitFor();
    await page.getByRole('definition').getByText('none published').waitFor();
    assert.equal(await rows(page).getByText('2 × 1', { exact: true }).count(), 2);
  },
);

test('a search that its time budget ended explains it', options, async (t) => {
  const { id } = await create(
    smallSearch({
      training: { epochs: 40, validation: { fraction: 0.95 } },
      method: { type: 'random', trials: 99 },
      halving: null,
      budget: { seconds: 1 },
      final: { trainOn: null },
    }),
  );
  const page = await openPage(t, url, { path: `#/searches/${id}` });
  await page.getByText('The time budget of 1.0 s was used up, so the other trials did not start').waitFor();
  await page.locator('dl.facts', { hasText: 'Budget1.0 s' }).waitFor();
  await page.getByRole('cell', { name: 'not started' }).first().waitFor();
  assert.equal(await page.getByRole('progressbar').count(), 0);
});

test(
  'a trial that was active when its search was finished is stopped, with the reason',
  options,
  async (t) => {
    const long = smallSearch({ halving: null });
    const { id } = await create({ ...long, training: { ...long.training, epochs: 500 } });
    await untilSearch(url, id, ({ progress }) => progress.active > 0);
    await fetch(`${url}/v1/searches/${id}/finish`, { method: 'POST' });
    await untilSearch(url, id);
    const page = await openPage(t, url, { path: `#/searches/${id}` });
    await page.getByText('The search was finished on request').waitFor();
    await rows(page).filter({ hasText: 'stopped' }).getByRole('link').first().click();
    await page.getByText('stopped it, because the search was finished on request.').waitFor();
  },
);

test('the final training is followed, and the search cannot be finished during it', options, async (t) => {
  const small = smallSearch({ method: { type: 'random', trials: 2 } });
  // On all images, in so small batches, the final training takes longer than a page that opens on a slow machine.
  const { id } = await create({ ...small, training: { ...small.training, batchSize: 4, epochs: 300 } });
  const page = await openPage(t, url, { path: `#/searches/${id}` });
  await page.getByRole('progressbar', { name: 'Progress of the final training' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Finish with the best so far' }).count(), 0);
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await fetch(`${url}/v1/searches/${id}/cancel`, { method: 'POST' });
  await untilSearch(url, id);
});

test('a search is paused, resumed and cancelled by keyboard', options, async (t) => {
  const long = smallSearch({ halving: null });
  const { id } = await create({ ...long, training: { ...long.training, epochs: 500 } });
  const page = await openPage(t, url, { path: `#/searches/${id}`, width: 360, colorScheme: 'dark' });
  const press = async (name: string) => {
    await page.getByRole('button', { name, exact: true }).focus();
    await page.keyboard.press('Enter');
  };
  await press('Pause');
  await status(page, 'paused');
  await press('Resume');
  await status(page, 'running');
  await press('Cancel');
  await press('Go on');
  await press('Cancel');
  await press('Cancel the search');
  await status(page, 'cancelled');
  await untilSearch(url, id);
  assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0);
});
