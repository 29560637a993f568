/** Searches over HTTP: whole searches, leaderboards, and reproducible outcomes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EpochRecord } from '../../../../src/domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import type { LabReport } from '../../../../src/domain/reports/lab-report.ts';
import { SEARCH_PLOTS } from '../../../../src/domain/reports/plots.ts';
import type { Search, SearchPreview, Trial } from '../../../../src/domain/searches/representation.ts';
import { DATA_DIR } from '../../../support/data-directory.ts';
import {
  readOutcome,
  type SearchOutcome,
  smallSearch,
  untilSearch,
} from '../../../support/search-outcome.ts';
import { requestJson } from '../../../support/start-process.ts';
import { assertProblem, startService } from '../../../support/start-service.ts';

const { app } = await startService({ after }, { DATA_DIR, TRAINING_WORKERS: '2' });
const base = await app.listen({ port: 0, host: '127.0.0.1' });

const post = (path: string, payload?: object, headers = {}) =>
  app.inject({ method: 'POST', url: `/v1/searches${path}`, ...(payload && { payload }), headers });
const job = (id: string) => requestJson<TrainingJob>(`${base}/v1/training-jobs/${id}`);
const trials = async (id: string) =>
  (await requestJson<{ data: Trial[] }>(`${base}/v1/searches/${id}/trials`)).data;

let id: string;
let expected: SearchOutcome;

before(async () => {
  const headers = { 'idempotency-key': 'search-1' };
  const created = await post('', smallSearch(), headers);
  assert.equal(created.statusCode, 202, created.body);
  ({ id } = created.json<Search>());
  assert.equal(created.headers['location'], `/v1/searches/${id}`);
  const replayed = await post('', smallSearch(), headers);
  assert.equal(replayed.json<Search>().id, id);
  await untilSearch(base, id);
  expected = await readOutcome(base, id);
});

test('a search halves its trials, trains the best one on everything, and publishes only that', async () => {
  const search = await requestJson<Search>(`${base}/v1/searches/${id}`);
  assert.equal(search.status, 'succeeded', JSON.stringify(search.error));
  assert.deepEqual(search.rungs, [1, 2, 4]);
  const counts = {
    trials: 6,
    waiting: 0,
    active: 0,
    paused: 0,
    succeeded: 1,
    stopped: 5,
    skipped: 0,
    failed: 0,
    cancelled: 0,
  };
  assert.deepEqual(search.progress, { ...counts, epochs: 6 + 3 + 2, plannedEpochs: 11 });
  const preview = (await post('/preview', smallSearch())).json<SearchPreview>();
  assert.equal(preview.plannedEpochs, 11);
  assert.ok(preview.time.seconds > 0 && preview.time.high > preview.time.low);

  const leaderboard = await trials(id);
  assert.deepEqual(
    preview.trials.map(({ values }) => values),
    leaderboard.toSorted((a, b) => a.trial - b.trial).map(({ values }) => values),
  );
  assert.deepEqual(
    leaderboard.map(({ rung, status }) => [rung, status]),
    [
      [3, 'succeeded'],
      ...[2, 2].map((rung) => [rung, 'stopped']),
      ...[1, 1, 1].map((rung) => [rung, 'stopped']),
    ].slice(0, 6),
  );
  const final = await job(search.finalJob!);
  assert.deepEqual(final.search, { id, trial: null });
  assert.deepEqual(
    [final.model, search.model],
    [
      { name: 'tuned', version: 1 },
      { name: 'tuned', version: 1 },
    ],
  );
  assert.deepEqual([final.training.validation, final.testSet], [null, 'once']);
  for (const { jobs } of leaderboard) {
    for (const each of jobs) {
      const trial = await job(each);
      assert.deepEqual([trial.model, trial.testSet], [null, 'never']);
      const { data } = await requestJson<{ data: EpochRecord[] }>(`${base}/v1/training-jobs/${each}/metrics`);
      assert.ok(
        data.length > 0 &&
          data.every(({ testLoss, testAccuracy }) => testLoss === null && testAccuracy === null),
      );
    }
  }
  const ofSearch = await app.inject(`/v1/training-jobs?search=${id}&limit=100`);
  assert.equal(ofSearch.json().data.length, 7);
  assert.deepEqual((await app.inject('/v1/training-jobs?search=none')).json().data, []);
  const csv = await app.inject({ url: `/v1/searches/${id}/trials`, headers: { accept: 'text/csv' } });
  const [head, first] = csv.body.split('\r\n');
  assert.match(head!, /^rank,trial,status,\/network\/hidden,\/training\/optimizer\/learningRate,value,/);
  assert.match(first!, new RegExp(`^1,${leaderboard[0]!.trial},succeeded,\\[\\d+\\],`));
});

test('the plots of an ended search are immutable, as SVG and PNG', async () => {
  for (const plot of SEARCH_PLOTS) {
    const url = `/v1/searches/${id}/plots/${plot}`;
    const svg = await app.inject(url);
    assert.equal(svg.statusCode, 200, svg.body);
    assert.equal(svg.headers['content-type'], 'image/svg+xml');
    assert.equal(svg.headers['cache-control'], 'private, max-age=31536000, immutable');
    const png = await app.inject(`${url}?format=png`);
    assert.equal(png.headers['content-type'], 'image/png');
    const again = await app.inject({ url, headers: { 'if-none-match': String(svg.headers['etag']) } });
    assert.equal(again.statusCode, 304);
  }
  const rungs = await app.inject(`/v1/searches/${id}/plots/rungs`);
  assert.match(rungs.body, />1 \(6 trials\)<.*>2 \(3 trials\)<.*>4 \(1 trial\)</);
  assertProblem(await app.inject(`/v1/searches/${id}/plots/loss`), 400, 'invalid-request', 'plot');
  assertProblem(
    await app.inject('/v1/searches/sea_01ARZ3NDEKTSV4RRFFQ69G5FAV/plots/rungs'),
    404,
    'search-not-found',
  );
});

test('a trial has the same digest as a single job, and as a final training on the same images', async () => {
  const [best] = await trials(id);
  const trial = await job(best!.jobs[0]!);
  const { dataset, network, training, seed, testSet } = trial;
  const body = { dataset, network, training, seed, testSet, publish: { evenIfNotLearned: true } };
  const own = await app.inject({
    method: 'POST',
    url: '/v1/training-jobs',
    payload: body,
    headers: { prefer: 'wait=30' },
  });
  assert.equal(own.json<TrainingJob>().digest, trial.digest);

  const final = { trainOn: 'training-part', testSet: 'never' } as const;
  const created = await post('', smallSearch({ final, modelName: 'part' }));
  const ended = await untilSearch(base, created.json<Search>().id);
  assert.equal((await job(ended.finalJob!)).digest, trial.digest);
  assert.equal(ended.model?.name, 'part');
});

test('neither parallelism nor pauses change the outcome', async () => {
  for (const parallel of [1, 4]) {
    const created = (await post('', smallSearch({ parallel }))).json<Search>();
    if (parallel === 4) {
      await untilSearch(base, created.id, ({ progress }) => progress.paused > 0);
      assert.equal((await post(`/${created.id}/pause`)).statusCode, 202);
      await untilSearch(base, created.id, ({ status }) => status === 'paused');
      const [{ jobs }] = (await trials(created.id)) as [Trial];
      const resumed = await app.inject({ method: 'POST', url: `/v1/training-jobs/${jobs[0]}/resume` });
      assert.match(assertProblem(resumed, 409, 'illegal-transition').detail, /belongs to search/);
      assert.equal((await post(`/${created.id}/resume`)).statusCode, 202);
    }
    await untilSearch(base, created.id);
    assert.deepEqual(await readOutcome(base, created.id), expected, `parallel ${parallel}`);
  }
});

test('a search without halving ranks by the published epoch, can finish early, and can be deleted', async () => {
  const training = {
    epochs: 20,
    batchSize: 128,
    validation: { fraction: 0.95 },
    earlyStopping: { patience: 1 },
  };
  const vary = [{ path: '/training/optimizer/learningRate', choices: [0.05, 0.02, 100] }];
  // Without an activation, a large rate makes the loss infinite.
  const network = { hidden: [16, 16], activation: 'identity' };
  const grid = { vary, method: { type: 'grid' }, halving: null } as const;
  const body = smallSearch({ network, training, ...grid, modelName: 'early' });
  const search = await untilSearch(base, (await post('', body)).json<Search>().id);
  const leaderboard = await trials(search.id);
  assert.equal(leaderboard.at(-1)!.status, 'failed');
  assert.match(leaderboard.at(-1)!.error!, /diverged|became|learning rate/i);
  const best = await job(leaderboard[0]!.jobs[0]!);
  // Early stopping publishes the epoch with the lowest loss, which is not the last one.
  assert.equal(leaderboard[0]!.epoch, best.best!.epoch);
  assert.ok(best.latest!.epoch > best.best!.epoch, 'the training went on after its best epoch');
  const final = await job(search.finalJob!);
  assert.equal(
    final.latest!.epoch,
    best.best!.epoch,
    'the final training has the epochs of the published one',
  );
  assert.equal(final.training.epochs, 20);

  const endless = { ...training, epochs: 300, earlyStopping: null };
  const long = smallSearch({ training: endless, ...grid, parallel: 1, final: { trainOn: null } });
  const running = (await post('', long)).json<Search>();
  assertProblem(
    await app.inject({ method: 'DELETE', url: `/v1/searches/${running.id}` }),
    409,
    'illegal-transition',
  );
  await untilSearch(base, running.id, ({ progress }) => progress.active > 0);
  await post(`/${running.id}/finish`);
  const finished = await untilSearch(base, running.id);
  // No trial had ended.
  assert.deepEqual([finished.status, finished.error?.code], ['failed', 'search-failed']);
  assert.equal((await app.inject({ method: 'DELETE', url: `/v1/searches/${running.id}` })).statusCode, 204);
  assertProblem(await app.inject(`/v1/searches/${running.id}`), 404, 'search-not-found');
  assert.deepEqual((await app.inject(`/v1/training-jobs?search=${running.id}`)).json().data, []);
});

test('the lab report of the final training lists the trials, and the report of a trial has no test result', async () => {
  const search = await requestJson<Search>(`${base}/v1/searches/${id}`);
  const leaderboard = await trials(id);
  const report = async (jobId: string, accept: string) =>
    (await app.inject({ url: `/v1/training-jobs/${jobId}/report?path=false`, headers: { accept } })).body;
  const final: LabReport = JSON.parse(await report(search.finalJob!, 'application/json'));
  assert.deepEqual([final.search, final.trials], [search, leaderboard]);
  assert.deepEqual([final.testSet?.chosenBy, final.testSet?.looks.lineage], ['validation', 1]);
  const html = await report(search.finalJob!, 'text/html');
  assert.match(html, new RegExp(`final training of search <code>${id}</code>`));
  assert.ok(html.includes(`Trial ${search.best!.trial} was chosen: `));
  assert.ok(html.includes(`<data value="${leaderboard[0]!.validationLoss}">`));
  const trial: LabReport = JSON.parse(await report(leaderboard[0]!.jobs[0]!, 'application/json'));
  assert.deepEqual([trial.evaluation, trial.testSet], [null, null]);
  const stopped: LabReport = JSON.parse(await report(leaderboard.at(-1)!.jobs[0]!, 'application/json'));
  assert.match(stopped.summary, /, was stopped by its search after \d+ of \d+ steps\.$/);
  assert.match(await report(leaderboard.at(-1)!.jobs[0]!, 'text/markdown'), /^\| status \| stopped \|$/m);
  assert.match(stopped.omitted[0]!.reason, /trials publish no version/);
});
