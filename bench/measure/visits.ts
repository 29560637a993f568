/** Visits of the page in Chromium, each with an empty cache, and what they take. */
import type { Browser, Page } from 'playwright-core';

/** JavaScript expressions of the page that hold once something is drawn. */
export const FORM_IS_DRAWN = `document.querySelector('form button[type=submit]') !== null`;
export const headingIs = (title: string) => `document.querySelector('h1')?.textContent === '${title}'`;
/** The slider under the curves of a job ends at the last epoch. */
export const epochIsDrawn = (epoch: number) =>
  `Number(document.querySelector('input[type=range]')?.max) >= ${epoch} && document.querySelector('figure path') !== null`;

/** Lighthouse's slow 4G, in bytes per second, and a processor four times slower. */
const SLOW = {
  network: { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 0.75e6 / 8 },
  processor: { rate: 4 },
};

/** `untilDrawn` resolves with the milliseconds since navigation, after the frame in which the expression holds. */
const OBSERVER = `
  globalThis.layoutShift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) layoutShift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  globalThis.untilDrawn = (holds) => new Promise((resolve) => {
    const check = () => (holds() ? setTimeout(() => resolve(performance.now())) : requestAnimationFrame(check));
    check();
  });`;

/** A response of the service, or of another origin, in the order of the requests. */
export interface Loaded {
  readonly url: string;
  /** Compressed. */
  readonly bytes: number;
}

export interface Visit {
  readonly page: Page;
  /** Milliseconds from the navigation until it was drawn. */
  readonly drawnMs: number;
  /** Complete when it was drawn. */
  readonly loaded: readonly Loaded[];
}

export interface VisitOptions {
  readonly url: string;
  /** An expression that holds once the screen is drawn. */
  readonly isDrawn: string;
  readonly isSlow?: boolean;
}

/** Opens a screen in a new context, and closes it after use. */
export async function visit<T>(
  browser: Browser,
  { url, isDrawn, isSlow = false }: VisitOptions,
  use: (visit: Visit) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    if (isSlow) {
      const devtools = await context.newCDPSession(page);
      await devtools.send('Network.enable');
      await devtools.send('Network.emulateNetworkConditions', SLOW.network);
      await devtools.send('Emulation.setCPUThrottlingRate', SLOW.processor);
    }
    await page.addInitScript(`${OBSERVER}
      globalThis.drawn = untilDrawn(() => ${isDrawn}).then((drawnMs) => ({
        drawnMs,
        loaded: ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))
          .map(({ name, encodedBodySize }) => ({ url: name, bytes: encodedBodySize })),
      }));`);
    await page.goto(url);
    const drawn = await page.evaluate<Omit<Visit, 'page'>>('drawn');
    return await use({ page, ...drawn });
  } finally {
    await context.close();
  }
}

/** The sum of all layout shifts without an input, once the page is idle. */
export async function layoutShift(page: Page): Promise<number> {
  await page.waitForLoadState('networkidle');
  return page.evaluate<number>('layoutShift');
}

/** Milliseconds from a click until the expression is drawn. */
export const clickUntilDrawn = (page: Page, selector: string, isDrawn: string): Promise<number> =>
  page.evaluate<number>(`(() => {
    const start = performance.now();
    document.querySelector('${selector}').click();
    return untilDrawn(() => ${isDrawn}).then((end) => end - start);
  })()`);
