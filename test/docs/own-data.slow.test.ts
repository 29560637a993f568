/** Runs each row of the table in docs/guides/own-data.md on files that NumPy and Pillow have written. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { datasetSchema } from '../../src/domain/datasets/representation.ts';
import { serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';
import { ROOT, readPage } from './pages.ts';

const file = { after };
const run = promisify(execFile);
const section = readPage('docs/guides/own-data.md').split('\n## ')[1]!;
const rows = [...section.matchAll(/^\| (?<what>.+?) +\|.*\| `(?<options>-F .+)` +\|$/gm)].map(
  ({ groups }) => ({
    what: groups!['what']!,
    options: groups!['options']!.split(' '),
  }),
);
const folder = await temporaryDirectory(file);
await run('/usr/bin/python3', [join(ROOT, 'scripts/fixtures/own_data.py'), folder]);
const service = startProcess(file, await temporaryDirectory(file), { DATASETS: 'none' });
const address = await serviceAddress(service);

/** The digits of the Parquet files, in numbers of their own. */
const IMAGES: Record<string, number> = { 'digits.parquet': 60, 'hub.zip': 60 };

test('the table has all forms', () => {
  assert.equal(rows.length, section.match(/^\| /gm)!.length - 2);
  assert.equal(rows.length, 15);
});

for (const { what, options } of rows) {
  test(`${what}: ${options.join(' ')}`, async () => {
    const url = `${address}/v1/datasets`;
    const { stdout } = await run('curl', ['-sS', '--fail-with-body', url, '-F', 'name=Mine', ...options], {
      cwd: folder,
    });
    const { classNames, splits } = datasetSchema.parse(JSON.parse(stdout));
    const total = [splits.train, splits.validation, splits.test].reduce(
      (sum, split) => sum + (split?.examples ?? 0),
      0,
    );
    const sent = options.find((option) => option.startsWith('file=@'))?.slice('file=@'.length);
    assert.deepEqual([classNames.length, total], [10, IMAGES[sent ?? ''] ?? 120]);
  });
}
