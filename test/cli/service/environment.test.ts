/** The variables of a service that the command line starts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withDefaults } from '../../../cli/service/environment.ts';
import { FLAGS } from '../../../cli/service/serve.ts';

const ROOT = join(import.meta.dirname, '../../..');

test('outside a checkout the state is in the folder, and data in the cache of the account', () => {
  assert.deepEqual(withDefaults({ XDG_CACHE_HOME: '/caches' }, '/somewhere'), {
    XDG_CACHE_HOME: '/caches',
    STATE_DIR: 'atelier-state',
    DATA_DIR: '/caches/atelier/fashion-mnist',
    MALLOC_MMAP_THRESHOLD_: '131072',
  });
  assert.equal(withDefaults({}, '/somewhere')['DATA_DIR'], join(homedir(), '.cache/atelier/fashion-mnist'));
});

test('in a checkout state and data stay where npm start has them', () => {
  const { STATE_DIR, DATA_DIR } = withDefaults({}, ROOT);
  assert.deepEqual([STATE_DIR, DATA_DIR], [undefined, undefined]);
});

test('variables that are set keep their values, and empty ones count as not set', () => {
  const given = { STATE_DIR: '/state', DATA_DIR: '', MALLOC_MMAP_THRESHOLD_: '1', XDG_CACHE_HOME: '/caches' };
  const { STATE_DIR, DATA_DIR, MALLOC_MMAP_THRESHOLD_ } = withDefaults(given, '/somewhere');
  assert.deepEqual(
    [STATE_DIR, DATA_DIR, MALLOC_MMAP_THRESHOLD_],
    ['/state', '/caches/atelier/fashion-mnist', '1'],
  );
});

test('the service starts with the flags and the variable of npm start', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  assert.deepEqual(scripts.start.match(/--\S+/g), FLAGS);
  const { MALLOC_MMAP_THRESHOLD_ } = withDefaults({}, ROOT);
  assert.ok(scripts.start.startsWith(`MALLOC_MMAP_THRESHOLD_=${MALLOC_MMAP_THRESHOLD_} `));
});
