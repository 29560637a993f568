import assert from 'node:assert/strict';
import files from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { writePredictionsTable } from '../../../src/workers/tasks/predictions-table.ts';
import { failure } from '../../store/fixtures.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';
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

test('each line has the true class, the set of classes and all probabilities, if they are known', async (t) => {
  const folder = await temporaryDirectory(t);
  const path = (name: string) => join(folder, name);
  // Float32 holds these exactly.
  const rows = [
    [0.25, 0.5, 0.25],
    [0.75, 0.125, 0.125],
    [Number.NaN, Number.NaN, Number.NaN],
  ];
  await writeFile(path('probabilities'), npyBytes(Float32Array.from(rows.flat()), [3, 3]));
  await writeFile(path('labels'), npyBytes(Uint8Array.of(1, 2, 0), [3]));
  // The sets, then the number of the reason for an unsure prediction.
  const judged = [...[1, 1, 1, 3], ...[1, 0, 0, 0], ...[0, 0, 0, 2]];
  await writeFile(path('judgements'), npyBytes(Uint8Array.from(judged), [3, 4]));
  writePredictionsTable({
    images: 3,
    probabilities: path('probabilities'),
    labels: path('labels'),
    judgements: path('judgements'),
    classNames: ['a', 'b', 'c'],
    hasAllClasses: true,
    target: path('csv'),
  });
  assert.deepEqual((await readFile(path('csv'), 'utf8')).split('\r\n'), [
    'index,label,className,probability,trueLabel,trueClassName,correct,classes,unsure,unsureBecause,probability0,probability1,probability2',
    '0,1,b,0.5,1,b,true,1 0 2,true,several-classes,0.25,0.5,0.25',
    '1,0,a,0.75,2,c,false,0,false,,0.75,0.125,0.125',
    '2,0,a,,0,a,true,,true,no-class,,,',
    '',
  ]);
});

test('the lines of a long table follow each other', async (t) => {
  const folder = await temporaryDirectory(t);
  const [probabilities, labels, target] = ['npy', 'labels', 'csv'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  // Image n has the class n % 3, and the true class n % 2.
  const values = Float32Array.from({ length: 3 * 2500 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 : 0));
  await writeFile(probabilities, npyBytes(values, [2500, 3]));
  await writeFile(
    labels,
    npyBytes(
      Uint8Array.from({ length: 2500 }, (_, n) => n % 2),
      [2500],
    ),
  );
  const classNames = ['a', 'b', 'c'];
  const task = {
    images: 2500,
    probabilities,
    labels,
    judgements: null,
    classNames,
    hasAllClasses: false,
    target,
  };
  writePredictionsTable(task);
  const [, ...lines] = (await readFile(target, 'utf8')).trimEnd().split('\r\n');
  assert.deepEqual(
    lines,
    Array.from({ length: 2500 }, (_, n) => {
      const [label, truth] = [n % 3, n % 2];
      return `${n},${label},${classNames[label]},1,${truth},${classNames[truth]},${label === truth}`;
    }),
  );
});

test('a full disk is named, another failure stays as it is, and both files are closed', async (t) => {
  const folder = await temporaryDirectory(t);
  const [probabilities, target] = [join(folder, 'npy'), join(folder, 'csv')];
  await writeFile(probabilities, npyBytes(Float32Array.of(1), [1, 1]));
  let code = 'ENOSPC';
  t.mock.method(files, 'writeFileSync', () => {
    throw Object.assign(new Error('cannot write'), { code });
  });
  const { mock: opened } = t.mock.method(files, 'openSync');
  const { mock: closed } = t.mock.method(files, 'closeSync');
  applyMocks(t);
  const task = { images: 1, probabilities, labels: null, judgements: null, classNames: ['a'], target };
  const write = () => writePredictionsTable({ ...task, hasAllClasses: false });
  assert.throws(write, failure('storage-full', 'the predictions'));
  files.rmSync(target);
  code = 'EIO';
  assert.throws(write, { code: 'EIO', message: 'cannot write' });
  assert.deepEqual(
    closed.calls.map((call) => call.arguments[0]),
    opened.calls.map((call) => call.result),
  );
});
