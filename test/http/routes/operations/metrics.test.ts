import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import packageJson from '../../../../package.json' with { type: 'json' };
import {
  cancelJob,
  endless,
  isUnderway,
  queueJob,
  startService,
  testImage,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';
import { collect, parseSamples } from '../../metrics/samples.ts';

const { app } = await startService({ after }, { TRAINING_WORKERS: '1' });
/** Scrapes until the condition holds, because events are counted after their commit. */
const scrapeUntil = async (holds: (value: Awaited<ReturnType<typeof collect>>) => boolean) => {
  for (;;) {
    const value = await collect(app);
    if (holds(value)) return value;
    await setTimeout(10);
  }
};

test('the response is text format 0.0.4, with names of the service, of the process and of Node', async () => {
  const { body, headers } = await app.inject('/metrics');
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const samples = [...parseSamples(body).keys()];
  assert.ok(samples.length > 50);
  assert.deepEqual(
    samples.filter((name) => !/^(atelier|process|nodejs)_/.test(name)),
    [],
  );
  for (const name of [
    'process_start_time_seconds{}',
    'process_open_fds{}',
    'nodejs_heap_size_used_bytes{}',
  ]) {
    assert.ok(samples.includes(name), name);
  }
});

test('counters end in _total, other names in their base unit', async () => {
  const { body } = await app.inject('/metrics');
  for (const [, name, type] of body.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    assert.equal(name!.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    assert.doesNotMatch(name!, /_(ms|milliseconds|percent|kilobytes)/);
  }
});

test('atelier_build_info has the versions as labels', async () => {
  const { body } = await app.inject('/metrics');
  const labels = /^atelier_build_info\{(.*)\} 1$/m.exec(body)?.[1];
  assert.match(labels!, new RegExp(`version="${packageJson.version}",node="${process.versions.node}"`));
  assert.match(labels!, /kernel="simd-float32",kernel_digest="sha256:[0-9a-f]{64}"/);
});

test('measures the files in STATE_DIR and the space on its disk', async () => {
  const value = await collect(app);
  assert.ok(Number(value('atelier_state_bytes{kind="database"}')) > 0);
  assert.equal(value('atelier_state_bytes{kind="reserve"}'), 4 * 2 ** 20);
  const [free, capacity] = ['free', 'capacity'].map((name) => Number(value(`atelier_state_${name}_bytes{}`)));
  assert.ok(free! > 0 && free! <= capacity!);
});

test('measures the event-loop delay', async () => {
  const value = await collect(app);
  for (const part of ['mean', 'p50', 'p99', 'max']) {
    assert.notEqual(value(`nodejs_eventloop_lag_${part}_seconds{}`), undefined, part);
  }
});

test('counts epochs, images and outcomes of trainings', async () => {
  const before = await collect(app);
  await train(app, tiny({ modelName: 'counted', training: { ...tiny().training, epochs: 2 } }));
  const since = (value: typeof before, name: string) => Number(value(name)) - Number(before(name));
  const ended = 'atelier_jobs_ended_total{result="succeeded"}';
  const value = await scrapeUntil((now) => since(now, ended) > 0);
  assert.equal(since(value, ended), 1);
  assert.equal(since(value, 'atelier_training_epochs_total{}'), 2);
  // 2 % of 60,000 images remain for training.
  assert.equal(since(value, 'atelier_training_images_total{}'), 2 * 1200);
});

test('counts jobs by status, with the speed of running ones', async () => {
  const running = await queueJob(app, endless);
  const waiting = [await queueJob(app, tiny()), await queueJob(app, tiny())];
  await untilJob(app, running.id, isUnderway);
  const rate = 'atelier_training_images_per_second{}';
  const value = await scrapeUntil((now) => Number(now(rate)) > 0);
  assert.equal(value('atelier_jobs{status="running"}'), 1);
  assert.equal(value('atelier_jobs{status="queued"}'), 2);
  assert.equal(value('atelier_queue_depth{}'), 2);
  assert.equal(value('atelier_queue_limit{}'), 100);
  assert.equal(value('atelier_training_slots{state="busy"}'), 1);
  assert.equal(value('atelier_training_slots{state="free"}'), 0);
  assert.equal(value('atelier_database_up{}'), 1);
  assert.equal(value('atelier_running_jobs{kind="training"}'), 1);
  assert.equal(value('atelier_running_jobs{kind="prediction"}'), 0);
  for (const { id } of [...waiting, running]) await cancelJob(app, id);
  const after = await scrapeUntil((now) => now('atelier_jobs_ended_total{result="cancelled"}') === 3);
  assert.deepEqual([after(rate), after('atelier_queue_depth{}')], [0, 0]);
});

test('counts predictions by model and version, including predictions of workers', async () => {
  await train(app, tiny({ modelName: 'served' }));
  const image = await testImage(app, 0);
  for (const count of [1, 65]) {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/models/served/predictions',
      headers: { 'content-type': 'application/octet-stream' },
      payload: Buffer.concat(Array.from({ length: count }, () => image)),
    });
    assert.equal(response.statusCode, 200, response.body);
  }
  const value = await collect(app);
  const labels = 'model="served",version="1"';
  assert.equal(value(`atelier_predictions_total{${labels}}`), 66);
  assert.equal(value(`atelier_prediction_requests_total{${labels}}`), 2);
  const byClass = Array.from({ length: 10 }, (_, k) =>
    Number(value(`atelier_predictions_by_class_total{class="${k}",${labels}}`)),
  );
  // The same image each time.
  assert.deepEqual(
    byClass.toSorted((a, b) => b - a),
    [66, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  assert.equal(value(`atelier_prediction_top_probability_count{${labels}}`), 66);
  for (const phase of ['wait', 'decode', 'compute', 'serialise']) {
    const name = `atelier_prediction_duration_seconds_total{model="served",phase="${phase}",version="1"}`;
    assert.ok(Number(value(name)) > 0, phase);
  }
  assert.equal((await app.inject({ method: 'DELETE', url: '/v1/models/served' })).statusCode, 204);
  assert.equal((await collect(app))(`atelier_predictions_total{${labels}}`), undefined, 'it is gone');
});

test('counts gradient checks by result', async () => {
  const check = (body: object) => app.inject({ method: 'POST', url: '/v1/gradient-checks', payload: body });
  assert.equal((await check({ network: { hidden: [2] } })).json().passed, true);
  // Forward differences cannot be as exact as this tolerance.
  const hopeless = { network: { hidden: [2] }, scheme: 'forward', stepSize: 1e-1, tolerance: 1e-12 };
  for (let times = 0; times < 2; times++) assert.equal((await check(hopeless)).json().passed, false);
  const value = await collect(app);
  assert.equal(value('atelier_gradient_checks_total{result="passed"}'), 1);
  assert.equal(value('atelier_gradient_checks_total{result="failed"}'), 2);
});

test('counts requests by route template, never by client-supplied paths', async () => {
  const madeUp = ['first-secret', 'second-secret'];
  for (const name of madeUp) {
    await app.inject(`/v1/models/${name}`);
    await app.inject(`/${name}?key=${name}`);
    await app.inject({ method: 'PUT', url: `/v1/datasets/${name}` });
  }
  const { body } = await app.inject('/metrics');
  const samples = parseSamples(body);
  const count = (labels: string) => samples.get(`atelier_http_request_duration_seconds_count{${labels}}`);
  assert.equal(count('method="GET",route="/v1/models/{name}",status="404"'), 2);
  assert.equal(count('method="any",route="unmatched",status="404"'), 2);
  assert.equal(count('method="any",route="unmatched",status="405"'), 2);
  for (const name of madeUp) assert.ok(!body.includes(name));
  assert.doesNotMatch(body, /job_[0-9A-Z]{26}/);
});

test('labels of routes are the paths of the contract', async () => {
  const contract = (await app.inject('/openapi.json')).json();
  const paths = Object.keys(contract.paths);
  for (const path of paths) {
    const [method] = Object.keys(contract.paths[path]);
    await app.inject({ method: method as 'GET', url: path.replaceAll(/\{\w+\}/g, '0') });
  }
  const { body } = await app.inject('/metrics');
  const labels = new Set(Array.from(body.matchAll(/route="([^"]+)"/g), ([, route]) => route));
  assert.deepEqual(
    paths.filter((path) => !labels.has(path) && path !== '/metrics'),
    [],
  );
  for (const route of labels) assert.doesNotMatch(route!, /\(|::/);
});

test('counts event streams separately, not in the durations of requests', async () => {
  const { id } = await queueJob(app, endless);
  const url = `/v1/training-jobs/${id}/events`;
  const streams = 'atelier_http_stream_duration_seconds_count{kind="events"}';
  const before = Number((await collect(app))(streams));
  const streaming = app.inject({ url, headers: { accept: 'text/event-stream' } });
  await scrapeUntil((now) => now('atelier_http_streams{kind="events"}') === 1);
  await cancelJob(app, id);
  assert.equal((await streaming).statusCode, 200);
  const value = await scrapeUntil((now) => now('atelier_http_streams{kind="events"}') === 0);
  assert.equal(Number(value(streams)) - before, 1);
  const route = '/v1/training-jobs/{id}/events';
  const counted = 'atelier_http_request_duration_seconds_count';
  assert.equal(value(`${counted}{method="GET",route="${route}",status="200"}`), undefined);
  await app.inject(url);
  const listed = await collect(app);
  assert.equal(listed(`${counted}{method="GET",route="${route}",status="200"}`), 1);
});

test('metrics are available during shutdown', async (t) => {
  const { app: closing, close } = await startService(t);
  const { id } = await queueJob(closing, endless);
  await untilJob(closing, id, isUnderway);
  const closed = close();
  assert.equal((await closing.inject('/v1/models')).statusCode, 503);
  assert.equal((await closing.inject('/metrics')).statusCode, 200);
  await closed;
});
