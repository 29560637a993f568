import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const read = (file: string) => readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
const { version } = JSON.parse(read('package.json'));

test('the clients have the version of the service', () => {
  const [, python] = /^__version__ = "(.*)"$/m.exec(read('clients/python/atelier/__init__.py'))!;
  assert.equal(python, version);
  assert.equal(JSON.parse(read('clients/node/package.json')).version, version);
  assert.equal(JSON.parse(read('clients/node/package-lock.json')).version, version);
});
