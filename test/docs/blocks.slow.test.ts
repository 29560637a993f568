import { after, test } from 'node:test';
import { DATA_DIR } from '../support/data-directory.ts';
import { serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';
import { PAGES, readBlocks } from './pages.ts';
import { isRun, runPage } from './run-page.ts';

const file = { after };
const stateDir = await temporaryDirectory(file);
const atelier = startProcess(file, stateDir, { DATA_DIR, STARTER_JOB: 'on' });
const service = new URL(await serviceAddress(atelier)).host;

test('the README works on a new service', () => runPage('README.md', service, true));

test('the README works again on the same state', () => runPage('README.md', service, false));

for (const page of PAGES.filter((path) => path.startsWith('docs/') && readBlocks(path).some(isRun))) {
  test(`${page} works`, () => runPage(page, service, true));
}
