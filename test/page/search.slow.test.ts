/** The screen of a search, in Chromium. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Search } from '../../src/domain/search/search.ts';
import { type SearchBody, smallSearch, untilSearch } from '../search-outcome.ts';
import { requestJson } from '../start-process.ts';
import { openPage, options, startPageService } from './page.ts';

const { url } = await startPageService({ after }, { TRAINING_WORKERS: '1' });
const create = (body: SearchBody) => requestJson<Search>(`${url}/v1/searches`, body);

const rows = (page: Page) => page.getByRole('region', { name: 'Leaderboard' }).locator('tbody tr');
const status = (page: Page, text: string) =>
  page.locator('.search-progress').getByText(text, { exact: true }).waitFor();

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
  await page.getByText('of 6 trials were stopped at a rung.').waitFor();
  await page.getByRole('img', { name: /after 1, 2, 4 epochs/ }).waitFor();
  await page.getByText('Numbers').first().click();
  const numbers = page.getByRole('region', { name: 'Numbers of the chart' }).locator('tbody tr');
  await numbers.first().waitFor();
  assert.equal(await numbers.count(), 6);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'CSV' }).first().click();
  assert.equal((await download).suggestedFilename(), `leaderboard-${id}.csv`);
  await page.getByRole('link', { name: `tuned@${search.model!.version}` }).click();
  await page.waitForURL(/#\/models\/tuned\//);
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
