import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { formatApiKey, generateKey, sha256Bytes } from '../../src/domain/api-key.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { endless } from '../support/start-service.ts';
import { openPage, options, shownEpoch, startPageService, untilEpoch } from './page.ts';

const key = generateKey();
const reader = generateKey();
const API_KEYS = [
  formatApiKey({ name: 'owner', scopes: ['predict', 'train', 'admin'], digest: sha256Bytes(key) }),
  formatApiKey({ name: 'reader', scopes: ['predict'], digest: sha256Bytes(reader) }),
].join();
const { app, url } = await startPageService({ after }, { API_KEYS });

test(
  'the page asks for a key, rejects a wrong one, and loads data and images with a right one',
  options,
  async (t) => {
    const page = await openPage(t, url, { path: '#/data', expected: /status of 401/ });
    const dialog = page.getByRole('dialog', { name: 'API key' });
    await dialog.getByText('This request needs an API key.').waitFor();
    // By keyboard alone: the dialog has the focus.
    const field = dialog.getByLabel('Key');
    await field.fill(generateKey());
    await page.keyboard.press('Enter');
    await dialog.getByText('The API key is unknown.').waitFor();
    await field.fill(key);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });

    await page.getByRole('link', { name: 'fashion-mnist' }).click();
    const images = page.locator('.data-images img');
    await images.nth(35).waitFor();
    assert.match(String(await images.first().getAttribute('src')), /^blob:/);
    await page.getByText('as curl').click();
    const command = await page.getByLabel('Command').textContent();
    assert.match(String(command), /-H "authorization: Bearer \$API_KEY"/);
    assert.ok(!(await page.content()).includes(key), 'the key is not in the document');
  },
);

test('with a key, the page follows a job by its events', options, async (t) => {
  const call = { method: 'POST', headers: { authorization: `Bearer ${key}` } } as const;
  const queued = await app.inject({ ...call, url: '/v1/training-jobs', payload: endless });
  const { id } = queued.json<TrainingJob>();
  const page = await openPage(t, url, { path: `#/jobs/${id}`, apiKey: key });
  await untilEpoch(page, 1);
  await untilEpoch(page, (await shownEpoch(page)) + 3);
  await app.inject({ ...call, url: `/v1/training-jobs/${id}/cancel` });
  await page.locator('.status.cancelled').waitFor();
});

test(
  'a key is kept in the tab if that was chosen, and otherwise only until the page is loaded again',
  options,
  async (t) => {
    const page = await openPage(t, url, { path: '#/data', expected: /status of 401/ });
    const dialog = page.getByRole('dialog', { name: 'API key' });
    await dialog.getByLabel('Key').fill(key);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'fashion-mnist' }).waitFor();
    await page.reload();
    await dialog.getByLabel('Key').fill(key);
    await dialog.getByLabel('Remember in this tab').check();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'fashion-mnist' }).waitFor();
    await page.reload();
    await page.getByRole('link', { name: 'fashion-mnist' }).waitFor();
    assert.equal(await dialog.count(), 0);
  },
);

test(
  'a key that lacks the scope of an action is explained, and the dialog can be closed',
  options,
  async (t) => {
    const page = await openPage(t, url, { path: '#/data', apiKey: reader, expected: /status of 403/ });
    await page.getByLabel('Archive', { exact: true }).setInputFiles({
      name: 'x.zip',
      mimeType: 'application/zip',
      buffer: Buffer.alloc(100),
    });
    await page.getByRole('button', { name: 'Check' }).click();
    const dialog = page.getByRole('dialog', { name: 'API key' });
    await dialog.getByText('needs the scope train; the key reader has predict').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('alert').getByText('forbidden').waitFor();
  },
);

test('the dialog, closed by Escape, returns the focus to its button', options, async (t) => {
  const page = await openPage(t, url, { path: '#/check', apiKey: key });
  const button = page.getByRole('button', { name: 'Key' });
  await button.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'API key' });
  await dialog.getByLabel('Key').press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.locator('button:focus', { hasText: 'Key' }).waitFor();
});
