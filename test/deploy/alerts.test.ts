/** The alert rules of deploy/prometheus: their parts, and the metrics that they name. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { parse } from 'yaml';
import { panelExpressions } from '../../scripts/grafana/panels.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
const { groups } = parse(read('deploy/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

test('every alert has a severity, a summary, a description, a section of the page, and a test in which it fires', () => {
  assert.ok(rules.length > 15);
  const sections = Array.from(
    read('docs/operations/alerts.md').matchAll(/^## (Atelier.+)$/gm),
    ([, name]) => name,
  );
  assert.deepEqual(
    sections,
    rules.map(({ alert }) => alert),
    'sections are in the order of the rules',
  );
  const tests = read('deploy/prometheus/alerts.test.yml') + read('deploy/prometheus/drift.test.yml');
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels['severity']!, /^(critical|warning)$/, alert);
    assert.deepEqual(Object.keys(annotations), ['summary', 'description', 'runbook_url'], alert);
    assert.match(annotations['description']!, /\.$/, alert);
    assert.equal(annotations['runbook_url'], `docs/operations/alerts.md#${alert.toLowerCase()}`);
    assert.ok(tests.includes(`{alertname="${alert}"}`), alert);
  }
});

test('the rules and the dashboard name metrics that the service has', () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const documented = Array.from(
    read('docs/reference/metrics.md').matchAll(/^\| `(\w+)`/gm),
    ([, name]) => name!,
  );
  const known = new Set([...documented, ...registry.getMetricsAsArray().map(({ name }) => name), 'up']);
  const expressions = [...rules.map(({ expr }) => expr), ...panelExpressions()];
  assert.ok(expressions.length > rules.length + 25);
  for (const expression of expressions) {
    const names = expression.match(/\b(atelier|nodejs|process)_\w+|\bup\b/g) ?? [];
    assert.ok(names.length > 0, expression);
    for (const name of names) {
      assert.ok(
        known.has(name) || known.has(name.replace(/_(bucket|sum|count)$/, '')),
        `${name}: ${expression}`,
      );
    }
  }
});
