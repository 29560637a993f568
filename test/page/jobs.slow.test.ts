/** The Jobs screen in a browser: list, filters, pages, and selection for a comparison. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Search } from '../../src/domain/searches/representation.ts';
import { smallSearch } from '../support/search-outcome.ts';
import { cancelJob, endless, isRunning, queueJob, tiny, train, untilJob } from '../support/start-service.ts';
import { openPage, options, startPageService } from './page.ts';

const service = options.skip ? null : await startPageService({ after });
const { app, url } = service ?? { app: null!, url: '' };

/** Jobs of a page of the API. */
const PAGE = 20;

test('an empty store shows a sentence, a button and a command', options, async (t) => {
  const page = await openPage(t, url, { path: '#/jobs' });
  await page.getByText('No network has been trained yet.').waitFor();
  await page.getByRole('link', { name: 'Train one' }).click();
  await page.waitForURL(/#\/train/);
});

test('follows the jobs, filters them, and keeps the filter in the address', options, async (t) => {
  const done = await train(app, tiny({ modelName: 'done' }));
  const { id } = await queueJob(app, { ...endless, modelName: 'runs' });
  await untilJob(app, id, isRunning);
  const page = await openPage(t, url, { path: '#/jobs', width: 360, colorScheme: 'dark' });
  const row = (name: string) => page.getByRole('row').filter({ hasText: name });
  await row('runs').getByText('running').waitFor();
  await row('done').getByText('1/1 epochs').waitFor();
  await page.getByLabel('Status').selectOption('succeeded');
  await row('runs').waitFor({ state: 'detached' });
  assert.match(page.url(), /status=succeeded/);
  await page.getByLabel('Status').selectOption('');
  await row('runs').waitFor();
  await cancelJob(app, id);
  // Without a reload.
  await row('runs').getByText('cancelled').waitFor();
  await page.getByLabel('Model', { exact: true }).fill('missing');
  await page.keyboard.press('Enter');
  await page.getByText('No job matches these filters.').waitFor();
  await page.getByRole('link', { name: 'Show all jobs' }).click();
  await row('done').getByRole('link', { name: 'done' }).click();
  await page.waitForURL(new RegExp(done.id));
});

test('lists all searches with their dates, and filters the jobs of one', options, async (t) => {
  const ids: string[] = [];
  for (let i = 0; i < 4; i++) {
    const body = smallSearch({ modelName: `search-${i}`, budget: { epochs: 20 } });
    const created = await app.inject({ method: 'POST', url: '/v1/searches', payload: body });
    ids.push(created.json<Search>().id);
    await app.inject({ method: 'POST', url: `/v1/searches/${ids[i]}/cancel` });
  }
  const page = await openPage(t, url, { path: '#/jobs', width: 360 });
  const list = page.getByRole('region', { name: 'Searches' }).getByRole('listitem');
  await list.nth(2).waitFor();
  assert.equal(await list.count(), 3);
  assert.match((await list.first().textContent())!, /^search-3.*20\d\d, \d\d:\d\d:\d\d/);
  await page.getByRole('button', { name: 'All searches' }).click();
  await list.nth(3).waitFor();
  await page.getByLabel('Search', { exact: true }).selectOption(ids[0]!);
  assert.ok(page.url().endsWith(`search=${ids[0]}`));
  await page.goto(`${url}/#/jobs?searches=${ids[1]}`);
  await list.nth(1).waitFor({ state: 'detached' });
  await list.getByRole('link', { name: 'Jobs of search-0' }).click();
  await page.waitForURL((address) => address.hash.endsWith(`search=${ids[0]}`));
  await page.getByRole('button', { name: 'Only the newest' }).click();
  await list.nth(2).waitFor();
});

test('pages go back to the oldest job, and keep the selection', options, async (t) => {
  for (let i = 0; i < PAGE; i++)
    await cancelJob(app, (await queueJob(app, tiny({ modelName: `job-${i}` }))).id);
  const page = await openPage(t, url, { path: '#/jobs' });
  const boxes = page.getByRole('checkbox');
  await boxes.nth(PAGE - 1).waitFor();
  await boxes.first().focus();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Older' }).click();
  await page.getByRole('link', { name: 'done' }).waitFor();
  await page.getByRole('checkbox', { name: /^Select done/ }).check();
  await page.goBack();
  await page.getByRole('link', { name: 'done' }).waitFor({ state: 'detached' });
  await page.goForward();
  await page.getByRole('link', { name: 'Compare 2 jobs' }).waitFor();
  await page.getByRole('button', { name: 'Newest' }).click();
  for (let i = 1; i < 7; i++) await boxes.nth(i).check();
  await page.getByText('8 of at most 8 jobs selected').waitFor();
  assert.equal(await boxes.nth(7).isDisabled(), true);
  await page.getByRole('link', { name: 'Compare 8 jobs' }).click();
  await page.waitForURL(/#\/compare\?(job_\w+,){7}job_\w+$/);
});
