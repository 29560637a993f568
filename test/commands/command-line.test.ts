import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDirectoryArgument } from '../../src/commands/command-line.ts';

test('a program for a directory takes one argument, and exits with 2 after its usage with others', (t) => {
  const lines: string[] = [];
  t.mock.method(console, 'error', (line: string) => void lines.push(line));
  t.mock.method(process, 'exit', (code: number) => {
    throw new RangeError(`exit ${code}`);
  });
  const { argv } = process;
  t.after(() => {
    process.argv = argv;
  });
  const read = (...args: string[]) => {
    process.argv = [...argv.slice(0, 2), ...args];
    return readDirectoryArgument('Usage: program DIRECTORY');
  };
  assert.equal(read('one'), 'one');
  for (const args of [[], ['one', 'two'], ['one', 'two', 'three'], ['--other', 'one']]) {
    assert.throws(() => read(...args), { message: 'exit 2' }, args.join(' '));
  }
  assert.equal(lines.length, 4);
  assert.ok(lines.every((line) => line.includes('Usage: program DIRECTORY')));
});
