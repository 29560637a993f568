import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { train } from '../support/start-service.ts';
import { openPage, options, startPageService } from './page.ts';

const { app, url } = await startPageService({ after }, { DATASETS: 'fashion-mnist' });

const SCREENS = '**/page-screens.js*';
const heading = { level: 1 } as const;

test('all screens but the first are loaded in idle time, and shown without waiting', options, async (t) => {
  const page = await openPage(t, url, { expected: /ERR_INTERNET_DISCONNECTED/ });
  // Not `waitForFunction`, which evaluates text, as the Content-Security-Policy forbids.
  await page.evaluate(`new Promise((resolve) => {
    const file = new URL('page-screens.js', location).href;
    const check = () => (performance.getEntriesByName(file).length > 0 ? resolve() : requestAnimationFrame(check));
    check();
  })`);
  await page.context().setOffline(true);
  await page.getByRole('link', { name: 'Check' }).click();
  await page.getByRole('heading', { ...heading, name: 'Check' }).waitFor();
  await page.context().setOffline(false);
});

test('a visitor who saves data loads them with the first screen that needs them', options, async (t) => {
  const page = await openPage(t, url);
  await page.addInitScript(`Object.defineProperty(navigator, 'connection', { value: { saveData: true } });`);
  // The page that is open saves no data, and may load them until it is left.
  await page.goto('about:blank');
  const requests: string[] = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  await page.goto(url);
  await page.getByRole('heading', { ...heading, name: 'Train' }).waitFor();
  await page.evaluate('new Promise((resolve) => requestIdleCallback(() => setTimeout(resolve)))');
  assert.deepEqual(
    requests.filter((path) => !path.startsWith('/v1/')),
    ['/', '/page.css', '/page.js'],
  );
  await page.getByRole('link', { name: 'Check' }).click();
  await page.getByRole('heading', { ...heading, name: 'Check' }).waitFor();
  assert.equal(requests.filter((path) => path === '/page-screens.js').length, 1);
});

test('a screen that cannot be loaded shows the problem, and can be tried again', options, async (t) => {
  const page = await openPage(t, url, { expected: /ERR_FAILED|status of 404/ });
  await page.route(SCREENS, (route) => route.abort());
  await page.goto(`${url}/#/check`);
  await page.reload();
  const problem = page.getByRole('alert');
  await problem.getByText('The service did not send this screen.').waitFor();
  assert.equal(await page.title(), 'Screen not loaded · Atelier');

  await page.route(SCREENS, (route) => route.fulfill({ status: 404 }));
  const response = page.waitForResponse(SCREENS);
  await problem.getByRole('button', { name: 'Try again' }).click();
  await response;
  await problem.waitFor();

  await page.unrouteAll();
  await problem.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { ...heading, name: 'Check' }).waitFor();
  assert.equal(await problem.count(), 0);
});

test('a file of another build is not run with this one', options, async (t) => {
  const page = await openPage(t, url);
  const body = `export const BUILD_OF_SCREENS = 'other';`;
  await page.route(SCREENS, (route) => route.fulfill({ contentType: 'text/javascript', body }));
  await page.goto(`${url}/#/check`);
  await page.reload();
  const problem = page.getByRole('alert');
  await problem.getByText('another version of this page').waitFor();
  await page.unrouteAll();
  await problem.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { ...heading, name: 'Check' }).waitFor();
});

test('elements after the content of a screen do not move when it is loaded', options, async (t) => {
  const page = await openPage(t, url);
  await page.addInitScript(`globalThis.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });`);
  const { id } = await train(app);
  for (const path of ['jobs', `jobs/${id}`, 'models', 'data/fashion-mnist']) {
    await page.goto(`${url}/#/${path}`);
    await page.reload();
    await page.getByText('as curl').first().waitFor();
    await page.waitForLoadState('networkidle');
    const shift = await page.evaluate<number>('shift');
    assert.ok(shift < 0.01, `${path}: ${shift}`);
  }
});
