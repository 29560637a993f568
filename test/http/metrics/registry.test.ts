import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../../src/http/metrics/registry.ts';
import { parseSamples } from './samples.ts';

function create() {
  const metrics = createMetrics({
    kernel: { name: 'simd', digest: 'sha256:a' },
    queueLimit: 100,
    waitingForStorage: () => 0,
    readStateSizes: () => Promise.reject(new Error('The disk is gone.')),
    modelCache: () => ({ hits: 0, misses: 0, evictions: 0, models: 0, bytes: 0 }),
    readJobs: () => Promise.reject(new Error('The database is gone.')),
    slots: () => 4,
    replicas: () => 2,
    noticeMode: () => 'polling',
  });
  return { metrics, samples: async () => parseSamples(await metrics.text()) };
}

test('the build is a metric with the kernel and the versions as its labels', async () => {
  const found = [...(await create().samples())].filter(([name]) => name.startsWith('atelier_build_info'));
  assert.equal(found.length, 1);
  const [[name, value]] = found as [[string, number]];
  assert.equal(value, 1);
  assert.match(
    name,
    /^atelier_build_info\{kernel="simd",kernel_digest="sha256:a",node="\d[^"]*",version="\d[^"]*"\}$/,
  );
});

test('each event of a service counts in the metric of its kind', async () => {
  const { metrics, samples } = create();
  const counts = async () => {
    const of = /^atelier_(gradient_checks|worker_restarts|client_limits|webhook_attempts)_total/;
    return Object.fromEntries([...(await samples())].filter(([name, n]) => of.test(name) && n > 0));
  };
  assert.deepEqual(await counts(), {});
  metrics.onGradientCheck(true);
  metrics.onGradientCheck(true);
  metrics.onGradientCheck(false);
  metrics.onRestart('numeric');
  metrics.onLimit('rate');
  metrics.onWebhook('abandoned');
  assert.deepEqual(await counts(), {
    'atelier_gradient_checks_total{result="passed"}': 2,
    'atelier_gradient_checks_total{result="failed"}': 1,
    'atelier_worker_restarts_total{worker="numeric"}': 1,
    'atelier_client_limits_total{limit="rate"}': 1,
    'atelier_webhook_attempts_total{result="abandoned"}': 1,
  });
});

test('each service has metrics of its own, without gauges that are named like counters', async () => {
  const [one, other] = [create(), create()];
  one.metrics.onGradientCheck(true);
  const samples = await other.samples();
  assert.equal(samples.get('atelier_gradient_checks_total{result="passed"}'), 0);
  const names = [...samples.keys()];
  assert.ok(names.some((name) => name.startsWith('process_cpu_seconds_total')));
  assert.deepEqual(
    names.filter((name) => /^nodejs_active_\w+_total/.test(name)),
    [],
  );
});
