/** Debian's Chromium, without a display, for tests of pages. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { addCleanup, type Scope } from '../start-service.ts';

const EXECUTABLE = '/usr/bin/chromium-headless-shell';

/** The `skip` option of tests that need a browser: the reason if it is not installed, else false. With CI=true they fail. */
export const withoutBrowser =
  existsSync(EXECUTABLE) || process.env['CI'] === 'true'
    ? false
    : 'Chromium is not installed; run .ci/install-browser';

/** Starts the browser, which ends with the scope. */
export async function startBrowser(scope: Scope): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      // A camera that shows a pattern, which pages may use unless a test denies it.
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
  });
  addCleanup(scope, () => browser.close());
  return browser;
}

/** Collects what a page writes to the console, which includes violations of its Content-Security-Policy. */
export function collectMessages(page: Page): string[] {
  const messages: string[] = [];
  page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => messages.push(`error: ${error.message}`));
  return messages;
}
