import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { datasetFile } from '../../src/datasets/fashion-mnist.ts';
import { DATA_DIR, SMALL_DATA_DIR } from '../support/data-directory.ts';
import { serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';
import { PAGES, readBlocks } from './pages.ts';
import { isRun, runPage } from './run-page.ts';

const file = { after };
const stateDir = await temporaryDirectory(file);
const start = async (directory: string, environment: Record<string, string>) =>
  new URL(await serviceAddress(startProcess(file, directory, environment))).host;
const service = await start(stateDir, { DATA_DIR, STARTER_JOB: 'on' });
/** It trains 30 epochs, twice, and shows nothing that depends on the number of training images, but the number of test images. */
const LONG = 'docs/guides/homework.md';
const fewTrained = await temporaryDirectory(file);
for (const kind of ['images', 'labels'] as const) {
  for (const [split, folder] of [
    ['train', SMALL_DATA_DIR],
    ['test', DATA_DIR],
  ] as const) {
    await symlink(join(folder, datasetFile(split, kind)), join(fewTrained, datasetFile(split, kind)));
  }
}
const small = await start(await temporaryDirectory(file), { DATA_DIR: fewTrained });

test('the README works on a new service', () => runPage('README.md', service, true));

test('the README works again on the same state', () => runPage('README.md', service, false));

for (const page of PAGES.filter((path) => path.startsWith('docs/') && readBlocks(path).some(isRun))) {
  test(`${page} works`, () => runPage(page, page === LONG ? small : service, true));
}
