/** Debian's Firefox, headless, because Playwright drives only its own Firefox. */
import { existsSync } from 'node:fs';
import puppeteer, { type Browser } from 'puppeteer-core';
import { addCleanup, type Scope, temporaryDirectory } from '../start-service.ts';

const EXECUTABLE = '/usr/bin/firefox-esr';

/** The `skip` option of tests that need Firefox: the reason if it is not installed, else false. With CI=true they fail. */
export const withoutFirefox =
  existsSync(EXECUTABLE) || process.env['CI'] === 'true'
    ? false
    : 'Firefox is not installed; run .ci/install-browser';

/** Updates, settings and telemetry look up no name, and go to a proxy that does not exist. */
const LOOPBACK_ONLY = {
  'network.dns.disabled': true,
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 1,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 1,
};

/** Starts the browser with an empty profile; both end with the scope. */
export async function startFirefox(scope: Scope): Promise<Browser> {
  const home = await temporaryDirectory(scope);
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: EXECUTABLE,
    env: { ...process.env, HOME: home },
    extraPrefsFirefox: LOOPBACK_ONLY,
    timeout: 60_000,
  });
  addCleanup(scope, () => browser.close());
  return browser;
}
