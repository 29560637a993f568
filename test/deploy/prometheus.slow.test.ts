/** Prometheus and its linter read the metrics of a service that has done everything. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { parse } from 'yaml';
import { panelExpressions } from '../../scripts/grafana/panels.ts';
import { npz, small } from '../datasets/upload/fixtures.ts';
import { openStream } from '../http/read-events.ts';
import { encodeForm } from '../http/upload.ts';
import { checkMetrics, startPrometheus, withoutPrometheus } from '../support/servers/prometheus.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import { endless, hasEnded, isUnderway, temporaryDirectory, tiny } from '../support/start-service.ts';

const file = { after };
const service = startProcess(file, await temporaryDirectory(file), { TRAINING_WORKERS: '1' });
const base = await serviceAddress(service);
const pixels = Array.from({ length: 784 }, (_, n) => n % 256);
const predictions = `${base}/v1/models/fashion/predictions`;

async function send(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  type: string,
  status = 200,
): Promise<void> {
  const response = await fetch(base + path, { method: 'POST', body, headers: { 'content-type': type } });
  assert.equal(response.status, status, `${path}: ${await response.text()}`);
}
const sendJson = (path: string, body: object, status?: number) =>
  send(path, JSON.stringify(body), 'application/json', status);

/** Trains, uploads, predicts in every protocol, and makes mistakes. */
async function doEverything(): Promise<void> {
  const { payload, headers } = await encodeForm({ file: npz(small()) });
  await send('/v1/datasets', new Uint8Array(payload), headers['content-type']!, 201);
  const { id } = await requestJson<{ id: string }>(
    `${base}/v1/training-jobs`,
    tiny({ modelName: 'fashion' }),
  );
  await untilServedJob(base, id, hasEnded);
  const scaled = pixels.map((pixel) => pixel / 255);
  const input = { name: 'image', datatype: 'UINT8', shape: [1, 784], data: pixels };
  await sendJson('/v1/models/fashion/predictions', { images: [pixels] });
  await sendJson('/v1/models/fashion/predictions?diagnose=true', { images: [pixels] });
  await send('/v1/models/fashion/predictions', new Uint8Array(1000 * 784), 'application/octet-stream');
  await sendJson('/v1/models/fashion/versions/1/explanations?diagnose=true', { images: [pixels] });
  await sendJson('/v2/models/fashion/infer', { inputs: [input] });
  await sendJson('/v1/models/fashion:predict', { instances: [scaled] });
  await sendJson('/invocations', { inputs: [scaled] });
  await sendJson('/v1/gradient-checks', { network: { hidden: [2] } });
  await sendJson('/v1/models/fashion/predictions', { images: [[1]] }, 422);
  await sendJson('/v1/models/missing/predictions', { images: [pixels] }, 404);
  await fetch(`${base}/no/such/path`);
}

test('promtool finds no fault in the metrics of a service after every kind of work', {
  skip: withoutPrometheus,
}, async () => {
  await doEverything();
  const text = await (await fetch(`${base}/metrics`)).text();
  assert.deepEqual(checkMetrics(text), { status: 0, output: '' });
  const predicted = Array.from(
    text.matchAll(/^atelier_predictions_by_class_total\{model="fashion".* (\d+)$/gm),
    ([, images]) => Number(images),
  );
  assert.equal(predicted.length, 10);
  assert.equal(
    predicted.reduce((sum, images) => sum + images),
    1005,
  );
  assert.match(text, /^atelier_prediction_top_probability_count\{model="fashion",version="1"\} 1005$/m);
  assert.match(text, /^atelier_diagnosed_images_total 2$/m);
  assert.match(text, /route="\/v1\/models\/\{name\}:predict"/);
});

test('Prometheus scrapes the service, and evaluates the expressions of docs, alert rules and dashboard', {
  skip: withoutPrometheus,
}, async (t) => {
  const query = await startPrometheus(t, base);
  const { id } = await requestJson<{ id: string }>(`${base}/v1/training-jobs`, endless);
  await untilServedJob(base, id, isUnderway);
  const stream = await openStream(`${base}/v1/training-jobs/${id}/events`);
  t.after(() => stream.close());
  const value = async (expression: string) => {
    for (;;) {
      const [sample] = await query(expression);
      if (sample !== undefined && !Number.isNaN(Number(sample.value[1]))) return Number(sample.value[1]);
      await requestJson(predictions, { images: [pixels] });
      await wait(100);
    }
  };
  assert.equal(await value('up{job="atelier"}'), 1);
  assert.ok(Math.abs((await value('process_start_time_seconds')) - Date.now() / 1000) < 3600);
  assert.ok((await value('nodejs_eventloop_lag_p99_seconds')) > 0);
  assert.ok((await value('atelier_state_free_bytes / atelier_state_capacity_bytes')) > 0);
  assert.equal(await value('atelier_http_streams{kind="events"}'), 1);
  const p99 =
    'histogram_quantile(0.99, sum by (le) (rate(atelier_http_request_duration_seconds_bucket[1m])))';
  assert.ok((await value(p99)) > 0);
  const mean = 'atelier_prediction_top_probability_sum / atelier_prediction_top_probability_count';
  assert.ok((await value(mean)) <= 1);

  const page = await readExpressions(new URL('../../docs/reference/metrics.md', import.meta.url));
  assert.ok(page.length >= 3);
  for (const expression of [...page, ...(await readRules()), ...panelExpressions()]) await query(expression);
});

/** The expressions of a page: whole lines of its blocks. */
async function readExpressions(page: URL): Promise<string[]> {
  const text = await readFile(page, 'utf8');
  const metric = /\b(atelier|nodejs|process)_\w+/;
  const lines = Array.from(text.matchAll(/^```text\n(.*?)```$/gms), ([, block]) => block!.split('\n')).flat();
  return lines.filter((line) => metric.test(line) && !/^\w+ \d+$/.test(line));
}

async function readRules(): Promise<string[]> {
  const rules = parse(await readFile(new URL('../../deploy/prometheus/alerts.yml', import.meta.url), 'utf8'));
  return (rules as { groups: { rules: { expr: string }[] }[] }).groups.flatMap((group) =>
    group.rules.map(({ expr }) => expr),
  );
}
