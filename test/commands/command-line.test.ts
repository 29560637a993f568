import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  readDirectoryArgument,
  readMoveArguments,
  rejectArguments,
} from '../../src/commands/command-line.ts';

/** Makes `process.exit` throw. Returns the lines on stderr, and a function that calls `read` with arguments. */
function commandLine<T>(t: TestContext, read: () => T) {
  const lines: string[] = [];
  t.mock.method(console, 'error', (line: string) => void lines.push(line));
  t.mock.method(process, 'exit', (code: number) => {
    throw new RangeError(`exit ${code}`);
  });
  const { argv } = process;
  t.after(() => {
    process.argv = argv;
  });
  return {
    lines,
    readFrom(...args: string[]): T {
      process.argv = [...argv.slice(0, 2), ...args];
      return read();
    },
  };
}

test('a program for a directory takes one argument, and exits with 2 after its usage with others', (t) => {
  const { lines, readFrom } = commandLine(t, () => readDirectoryArgument('Usage: program DIRECTORY'));
  assert.equal(readFrom('one'), 'one');
  for (const args of [[], ['one', 'two'], ['one', 'two', 'three'], ['--other', 'one']]) {
    assert.throws(() => readFrom(...args), { message: 'exit 2' }, args.join(' '));
  }
  assert.equal(lines.length, 4);
  assert.ok(lines.every((line) => line.includes('Usage: program DIRECTORY')));
});

test('a program without arguments exits with 2 after its usage with any', (t) => {
  const { lines, readFrom } = commandLine(t, () => rejectArguments('Usage: program'));
  readFrom();
  assert.throws(() => readFrom('one'), { message: 'exit 2' });
  assert.deepEqual(lines, ['Usage: program']);
});

test('a state is moved to a database, or from one to a folder', (t) => {
  const { lines, readFrom } = commandLine(t, readMoveArguments);
  const [url, other] = ['postgres://host/a', 'postgresql://host/b'];
  assert.deepEqual(readFrom('--to', url), { url });
  assert.deepEqual(readFrom('--to', other), { url: other });
  assert.deepEqual(readFrom('--from', url, '--to', 'folder'), { url, folder: resolve('folder') });
  const wrong = [
    [],
    ['--to', 'folder'],
    ['--from', url],
    ['--from', url, '--to', other],
    ['--from', 'folder', '--to', 'other'],
    ['--from', 'folder', '--to', url],
    ['--to', url, 'more'],
  ];
  for (const args of wrong) assert.throws(() => readFrom(...args), { message: 'exit 1' }, args.join(' '));
  assert.equal(lines.length, wrong.length);
});

test('a program prints its usage for help, and exits with 0', (t) => {
  const printed: string[] = [];
  t.mock.method(console, 'log', (line: string) => void printed.push(line));
  const { lines, readFrom } = commandLine(t, () => readDirectoryArgument('Usage: program DIRECTORY'));
  for (const args of [['--help'], ['-h'], ['one', '--help']])
    assert.throws(() => readFrom(...args), { message: 'exit 0' }, args.join(' '));
  assert.deepEqual([printed, lines], [new Array(3).fill('Usage: program DIRECTORY'), []]);
});

test('the usage of a move is printed for help', (t) => {
  const printed: string[] = [];
  t.mock.method(console, 'log', (line: string) => void printed.push(line));
  const { readFrom } = commandLine(t, readMoveArguments);
  // The error that stands for the end of the process is caught like an unknown option.
  assert.throws(() => readFrom('-h'));
  assert.equal(printed.length, 1);
  assert.match(printed[0]!, /^Usage:\n {2}npx atelier migrate-state --to postgres:/);
});
