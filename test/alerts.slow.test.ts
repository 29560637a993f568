/** Prometheus' own tool checks the configuration and the rules of deploy/prometheus, and runs their unit tests. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { withoutPrometheus } from './prometheus.ts';
import { temporaryDirectory } from './start-service.ts';

const FOLDER = join(import.meta.dirname, '../deploy/prometheus');

test('the configuration and the rules are valid, and each alert fires when it should', {
  skip: withoutPrometheus,
}, async (t) => {
  const folder = join(await temporaryDirectory(t), 'prometheus');
  await cp(FOLDER, folder, { recursive: true });
  // The operator stores the key there.
  await writeFile(join(folder, 'metrics-key'), 'atl_any');
  const promtool = (...args: string[]) => promisify(execFile)('promtool', args, { cwd: folder });
  const checked = await promtool('check', 'config', 'prometheus.yml');
  assert.match(checked.stdout, /SUCCESS: \d+ rules found/);
  await promtool('test', 'rules', 'alerts.test.yml', 'drift.test.yml');
});
