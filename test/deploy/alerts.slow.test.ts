/** promtool checks the files of deploy/prometheus and runs the tests of the rules. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { panelExpressions } from '../../scripts/grafana/panels.ts';
import { withoutPrometheus } from '../support/servers/prometheus.ts';
import { temporaryDirectory } from '../support/start-service.ts';

const FOLDER = join(import.meta.dirname, '../../deploy/prometheus');

test('the configuration and the rules are valid, and each alert fires when it should', {
  skip: withoutPrometheus,
}, async (t) => {
  const folder = join(await temporaryDirectory(t), 'prometheus');
  await cp(FOLDER, folder, { recursive: true });
  const promtool = (...args: string[]) => promisify(execFile)('promtool', args, { cwd: folder });
  const found = await promtool('check', 'config', '--syntax-only', 'prometheus.yml');
  assert.match(found.stdout, /SUCCESS: prometheus\.yml is valid/);
  // The operator stores the key there.
  await writeFile(join(folder, 'metrics-key'), 'atl_any');
  const checked = await promtool('check', 'config', 'prometheus.yml');
  assert.match(checked.stdout, /SUCCESS: \d+ rules found/);
  await promtool('test', 'rules', 'alerts.test.yml', 'drift.test.yml');
});

test('the expressions of the dashboard are valid', { skip: withoutPrometheus }, async (t) => {
  const rules = panelExpressions().map((expr, n) => ({ record: `panel_${n}`, expr }));
  const file = join(await temporaryDirectory(t), 'panels.yml');
  await mkdir(dirname(file), { recursive: true });
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
  const { stdout } = await promisify(execFile)('promtool', ['check', 'rules', file]);
  assert.match(stdout, new RegExp(`SUCCESS: ${rules.length} rules found`));
});
