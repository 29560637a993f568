import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { GradientCheck } from '../../src/domain/checks/gradient.ts';
import { npyBytes, parseNpy } from '../../src/formats/arrays/npy.ts';
import { ACTIVATIONS } from '../../src/numerics/network/activations.ts';
import { tiny, train } from '../support/start-service.ts';
import { openPage, options, startPageService } from './page.ts';

const { app, url } = await startPageService({ after });
await train(app, tiny({ modelName: 'checked' }));

test('a gradient check by keyboard passes and shows its blocks and limits', options, async (t) => {
  const page = await openPage(t, url, { path: '#/check' });
  await page.getByLabel('Hidden layers').fill('5, 4');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Passed' }).waitFor();
  const network = { hidden: [5, 4] };
  const response = await app.inject({ method: 'POST', url: '/v1/gradient-checks', payload: { network } });
  const report = response.json<GradientCheck>();
  assert.equal(report.blocks.length, 6);
  const blocks = page.getByRole('table', { name: 'Blocks' });
  for (const { name, relativeError } of report.blocks) {
    const row = blocks.getByRole('row', { name: new RegExp(`^${name} `) });
    assert.ok(String(await row.textContent()).includes(relativeError.toExponential(2)), name);
  }
  const criteria = page.getByRole('table', { name: 'Criteria' });
  await criteria.getByRole('row', { name: /check_grad.*one hidden layer.*< 0\.01 yes/ }).waitFor();
  await criteria.getByRole('row', { name: /check_grad.*three hidden layers.*< 1e-4 yes/ }).waitFor();
  await criteria.getByRole('row', { name: /Kernel .*float64/ }).waitFor();

  await page.reload();
  await page.getByRole('heading', { name: 'Passed' }).waitFor();
  assert.equal(await page.getByLabel('Hidden layers').inputValue(), '5, 4');
});

test('the form offers every activation of the contract', options, async (t) => {
  const page = await openPage(t, url, { path: '#/check' });
  const offered = page.getByLabel('Activation').locator('option');
  // The options appear when the contract has been read.
  await offered.first().waitFor({ state: 'attached' });
  assert.deepEqual(await offered.allTextContents(), ACTIVATIONS);
});

test('a check that fails has its reason and advice', options, async (t) => {
  const page = await openPage(t, url, { path: '#/check', width: 360, colorScheme: 'dark' });
  await page.getByLabel('A trained model').check();
  await page.getByLabel('Model', { exact: true }).fill('checked@1');
  await page.getByLabel('Differences').selectOption('forward');
  await page.getByLabel('Step size').fill('0.1');
  await page.getByRole('button', { name: 'Check the gradient' }).click();
  await page.getByRole('heading', { name: 'Failed' }).waitFor();
  assert.match(String(await page.locator('.check-verdict').textContent()), /\. \w/);
});

test(
  'invalid options are explained at their fields, and the first one gets the focus',
  options,
  async (t) => {
    const page = await openPage(t, url, { path: '#/check', expected: /status of 4\d\d/ });
    await page.getByLabel('Hidden layers').fill('many');
    await page.getByLabel('Tolerance').fill('2');
    await page.getByRole('button', { name: 'Check the gradient' }).click();
    await page.locator('#check-hidden[aria-invalid]:focus').waitFor();
    await page.locator('#check-tolerance[aria-invalid]').waitFor();
    await page.getByLabel('A trained model').check();
    await page.getByLabel('Tolerance').fill('');
    await page.getByLabel('Model', { exact: true }).fill('missing');
    await page.getByRole('button', { name: 'Check the gradient' }).click();
    await page.locator('#check-model[aria-invalid]:focus').waitFor();
  },
);

test('a check of minutes shows its progress, and can be stopped', options, async (t) => {
  const page = await openPage(t, url, { path: '#/check' });
  await page.getByLabel('Convolutions').fill('32 32');
  await page.getByLabel('Examples').fill('1');
  await page.getByLabel('Sample of coordinates').fill('all');
  const check = page.getByRole('button', { name: 'Check the gradient' });
  await check.click();
  const progress = page.getByRole('progressbar', { name: 'Progress of the check' });
  await progress.waitFor();
  assert.equal(await check.isDisabled(), true);
  await page.getByRole('button', { name: 'Stop' }).click();
  await progress.waitFor({ state: 'detached' });
  assert.equal(await check.isDisabled(), false);
});

test('my gradient from a file is compared with the right one, with a hint', options, async (t) => {
  const page = await openPage(t, url, { path: '#/check', expected: /status of 4\d\d/ });
  const network = { hidden: [3], activation: 'relu', init: 'uniform-fan-in' };
  const headers = { accept: 'application/x-npy' };
  const { rawPayload } = await app.inject({
    method: 'POST',
    url: '/v1/gradient-checks',
    payload: { network },
    headers,
  });
  const right = parseNpy(rawPayload).data as Float64Array;
  const choose = (values: Float64Array) =>
    page.getByLabel('File').setInputFiles({
      name: 'gradient.npy',
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(npyBytes(values, [values.length])),
    });
  await page.getByLabel('Hidden layers').fill('3');
  await choose(right);
  const check = page.getByRole('button', { name: 'Check the gradient' });
  await check.click();
  await page.getByRole('heading', { name: 'My gradient is right' }).waitFor();
  await choose(right.map((value) => 5 * value));
  await check.click();
  await page.getByRole('heading', { name: 'My gradient is wrong' }).waitFor();
  await page.getByText('In W1, the numbers are 5 times the right ones').waitFor();
  const table = page.getByRole('table', { name: 'My gradient' });
  await table.getByRole('row', { name: /^b2 no .*constant-factor$/ }).waitFor();
  await page.getByRole('heading', { name: 'Passed' }).waitFor();
  await choose(right.slice(1));
  await check.click();
  await page.locator('#check-gradient[aria-invalid]:focus').waitFor();
});
