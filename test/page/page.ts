/** Harness for tests of the page: one browser per process and one service per file. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import axeCore, { type AxeResults } from 'axe-core';
import type { Browser, Locator, Page, Request } from 'playwright-core';
import type { Service } from '../../src/process/start.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { collectMessages, startBrowser, withoutBrowser } from '../support/servers/browser.ts';
import { addCleanup, type Scope, startService } from '../support/start-service.ts';

/** The `skip` option of tests of the page. */
export const options = { skip: withoutBrowser };

let browser: Promise<Browser> | undefined;
// Registered first, because the first test may be the one that starts the browser.
after(async () => (await browser)?.close());

export interface PageService extends Pick<Service, 'app'> {
  readonly url: string;
}

/** Starts the service in this process, at a free port. The environment is that of `startService`. */
export async function startPageService(
  scope: Scope,
  environment: Record<string, string> = {},
): Promise<PageService> {
  const { app } = await startService(scope, { DATA_DIR, ...environment });
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

export interface PageOptions {
  /** Hash route, such as `#/data`. */
  readonly path?: string;
  /** In CSS pixels. */
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
  /** Already stored in the tab. */
  readonly apiKey?: string;
  /** Messages that the test provokes, such as `/status of 422/` for a rejected request. All others fail it. */
  readonly expected?: RegExp;
}

/** Requests of each page that have not ended. */
const underway = new WeakMap<Page, Set<Request>>();

/** Script that writes violations of the Content-Security-Policy to the console. */
export const REPORT_VIOLATIONS = `addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI));`;

/** Opens the page in a context of its own. At the end of the test, it is closed and must not have written a message. */
export async function openPage(t: Scope, url: string, options: PageOptions = {}): Promise<Page> {
  const { path = '', width = 1280, colorScheme = 'light', apiKey, expected } = options;
  browser ??= startBrowser({ after: () => {} });
  const context = await (await browser).newContext({
    viewport: { width, height: 800 },
    colorScheme,
    // Contrast is measured on final colours.
    reducedMotion: 'reduce',
  });
  addCleanup(t, () => context.close());
  const page = await context.newPage();
  // Some wait for a training, which takes as long as the machine lets it.
  page.setDefaultTimeout(180_000);
  const messages = collectMessages(page);
  const requests = new Set<Request>();
  underway.set(page, requests);
  page.on('request', (request) => requests.add(request));
  page.on('requestfinished', (request) => requests.delete(request));
  page.on('requestfailed', (request) => requests.delete(request));
  page.on('dialog', (dialog) => {
    messages.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  // After all clean-ups, which a failure here would prevent.
  t.after(async () => {
    assert.deepEqual(
      messages.filter((message) => !expected?.test(message)),
      [],
    );
  });
  await page.addInitScript(REPORT_VIOLATIONS);
  if (apiKey !== undefined) {
    await page.addInitScript(`sessionStorage.setItem('atelier-key', ${JSON.stringify(apiKey)});`);
  }
  await page.goto(`${url}/${path}`);
  return page;
}

/**
 * Waits until the page has had no request under way for a while. If what a panel is still loading were deleted, the browser would
 * write a 404 to the console, which fails the test.
 */
export async function untilLoaded(page: Page): Promise<void> {
  for (let idleMs = 0; idleMs < 300; idleMs = underway.get(page)!.size === 0 ? idleMs + 50 : 0) {
    await page.waitForTimeout(50);
  }
}

const EPOCH = `Number(/epoch ([\\d,]+)\\//.exec(document.body.textContent)?.[1].replaceAll(',', ''))`;

/** The epoch that a job on the page has completed. */
export const shownEpoch = (page: Page): Promise<number> => page.evaluate(EPOCH);

/** Waits in the page until an expression is true. */
export const until = (page: Page, expression: string): Promise<unknown> =>
  page.evaluate(
    `new Promise((resolve) => {
      const check = () => (${expression} ? resolve() : requestAnimationFrame(check));
      check();
    })`,
  );

/** Waits in the page until it shows that the epoch is complete. */
export const untilEpoch = (page: Page, epoch: number): Promise<unknown> =>
  until(page, `${EPOCH} >= ${epoch}`);

/** Waits for the end of the stream of events. A deletion before it would make it a 404, which fails the test. */
export const untilStreamEnds = (page: Page): Promise<unknown> =>
  page.waitForResponse((response) => response.url().endsWith('/events') && response.status() === 204);

/** Moves the focus forward to a button of a page or a part of it, as a user without a mouse does, and presses Enter. */
export async function pressByKeyboard(page: Page, name: string, part: Page | Locator = page): Promise<void> {
  const button = part.getByRole('button', { name, exact: true });
  await button.waitFor();
  const hasFocus = () => button.evaluate((element) => element === element.ownerDocument.activeElement);
  let steps = 0;
  while (!(await hasFocus())) {
    assert.ok(steps++ < 100, `the button ${name} is not reached by the Tab key`);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
}

const WCAG_22_AA = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/**
 * Checks the current state of the page with axe-core and for reflow (WCAG 1.4.10): light and dark, on a desktop and phones.
 * axe-core is evaluated by the debugger, which the Content-Security-Policy does not restrict.
 */
export async function assertAccessible(page: Page): Promise<void> {
  const before = page.viewportSize()!;
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axeCore.source);
  for (const width of [320, 360, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    // Charts are drawn again for their new width in the next frame.
    // At the end of the page, the bar of the training form covers no control.
    await page.evaluate(
      'new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(scrollTo(0, document.body.scrollHeight)))))',
    );
    await assertReflows(page);
    if (width === 320) continue;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // Only the rules about colours depend on the scheme. The style sheets are not loaded again.
      const rules = colorScheme === 'light' ? WCAG_22_AA : ['color-contrast', 'link-in-text-block'];
      const run = `axe.run(${JSON.stringify({ runOnly: rules, preload: false, resultTypes: ['violations'], selectors: false })})`;
      const { violations }: AxeResults = await page.evaluate(
        `${run}.then(({ violations }) => ({ violations }))`,
      );
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      assert.deepEqual(found, [], `${page.url()}, ${colorScheme}, ${width} px`);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(before);
}

/** Checks that the page can be read without scrolling sideways. */
async function assertReflows(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  assert.equal(overflow, 0, `pixels wider than the window: ${page.url()}, ${page.viewportSize()!.width} px`);
}
