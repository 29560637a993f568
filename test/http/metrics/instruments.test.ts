import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { countBy, createGauges, createReading } from '../../../src/http/metrics/instruments.ts';
import { parseSamples } from './samples.ts';

const scrape = async (registry: Registry) => Object.fromEntries(parseSamples(await registry.metrics()));

test('a counter starts at 0 for each value of its label, and counts by 1 or an amount', async () => {
  const registry = new Registry();
  const count = countBy(registry, 'tries', 'Tries.', 'result', ['passed', 'failed']);
  assert.deepEqual(await scrape(registry), { 'tries{result="passed"}': 0, 'tries{result="failed"}': 0 });
  count('passed');
  count('failed', 3);
  assert.deepEqual(await scrape(registry), { 'tries{result="passed"}': 1, 'tries{result="failed"}': 3 });
});

test('concurrent scrapes share a reading, and a later one reads again', async () => {
  let reads = 0;
  const read = createReading(async () => ++reads);
  assert.deepEqual(await Promise.all([read(), read()]), [1, 1]);
  assert.equal(await read(), 2);
});

test('a reading that hangs is given up after a second', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reading = createReading(() => new Promise(() => {}))();
  const now = () => Promise.race([reading, setImmediate('pending')]);
  t.mock.timers.tick(999);
  assert.equal(await now(), 'pending');
  t.mock.timers.tick(1);
  assert.equal(await now(), null);
});

test('gauges of a source that cannot be read are absent', async () => {
  const registry = new Registry();
  let source: number | null = 7;
  const add = createGauges(registry, async () => source);
  add('all', 'All.', [], (gauge, value) => gauge.set(value));
  add('some', 'Some.', ['kind'], (gauge, value) => gauge.set({ kind: 'a' }, value));
  assert.deepEqual(await scrape(registry), { 'all{}': 7, 'some{kind="a"}': 7 });
  source = null;
  assert.deepEqual(await scrape(registry), {});
});
