import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../../cli/errors.ts';
import { PROGRAMS } from '../../../cli/service/programs.ts';
import { serve } from '../../../cli/service/serve.ts';

test('a port is a whole number up to 65535, and the page cannot be opened at a free port', async () => {
  for (const port of ['65536', '1.5', '-1', '']) {
    await assert.rejects(serve.run([`--port=${port}`]), {
      constructor: UsageError,
      message: `--port must be a whole number from 0 to 65535, but is "${port}".`,
    });
  }
  await assert.rejects(serve.run(['--open', '--port', '0']), {
    constructor: UsageError,
    message: 'With --open, the port must not be 0.',
  });
});

test('the help of serve lists its options', async (t) => {
  const { mock } = t.mock.method(console, 'log', () => {});
  assert.equal(await serve.run(['--help']), 0);
  const [text] = mock.calls.map(({ arguments: [line] }) => String(line));
  assert.match(text!, /^Start a service .*\n\nUsage: npx atelier serve \[options\]\n/);
  assert.match(text!, /--port 3000 .*\n.*--state FOLDER .*\n.*--open .*\n.*-h, --help /);
});

test('every program has a summary, and serve is the first one', () => {
  const names = Object.keys(PROGRAMS);
  assert.deepEqual(names, ['serve', 'data', 'key', 'backup', 'restore', 'migrate', 'migrate-state']);
  for (const [name, { summary }] of Object.entries(PROGRAMS)) assert.match(summary, /^[A-Z].*[^.]$/, name);
});
