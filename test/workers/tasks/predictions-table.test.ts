import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { writePredictionsTable } from '../../../src/workers/tasks/predictions-table.ts';
import { temporaryDirectory } from '../../support/start-service.ts';

test('class names are quoted, and those that a spreadsheet would evaluate begin with an apostrophe', async (t) => {
  const folder = await temporaryDirectory(t);
  const [probabilities, target] = [join(folder, 'npy'), join(folder, 'csv')];
  const names = new Map([
    ['=1+1', "'=1+1"],
    ['@home', "'@home"],
    ['-2+3', "'-2+3"],
    ['+a,"b"', '"\'+a,""b"""'],
    ['-1.5', '-1.5'],
    ['T-shirt', 'T-shirt'],
  ]);
  const classNames = [...names.keys()];
  const n = classNames.length;
  const identity = Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  await writeFile(probabilities, npyBytes(identity, [n, n]));
  writePredictionsTable({
    images: n,
    probabilities,
    labels: null,
    judgements: null,
    classNames,
    hasAllClasses: false,
    target,
  });
  const lines = [...names.values()].map((cell, i) => `${i},${i},${cell},1`);
  assert.equal(
    await readFile(target, 'utf8'),
    ['index,label,className,probability', ...lines, ''].join('\r\n'),
  );
});
