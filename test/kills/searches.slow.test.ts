/** Searches in a service that is killed at random moments: the outcome is the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Search, SearchEvent } from '../../src/domain/searches/representation.ts';
import { readOutcome, smallSearch, untilSearch } from '../support/search-outcome.ts';
import { seeded } from '../support/seeded.ts';
import { requestJson, serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';

const KILLS = 20;
/**
 * Every other kill comes at most this fraction of the undisturbed search after the service is ready. A
 * fraction, because the search must outlast all kills on any machine.
 */
const EARLY = 0.01;
/** The others come at most this fraction after a trial has started, reached a rung or ended. */
const LATE = 0.02;

test(`killed ${KILLS} times at random moments, a search ends with the same winner, leaderboard and digests`, async (t) => {
  const random = seeded(t);
  const { training } = smallSearch();
  const longer = { ...training, epochs: 12, validation: { fraction: 0.5 } };
  const body = smallSearch({ training: longer, method: { type: 'random', trials: 16 } });
  const quiet = startProcess(t, await temporaryDirectory(t), { TRAINING_WORKERS: '2' });
  const calm = await serviceAddress(quiet);
  const { id: undisturbed } = await requestJson<Search>(`${calm}/v1/searches`, body);
  await untilSearch(calm, undisturbed);
  const { createdAt, finishedAt: ended } = await requestJson<Search>(`${calm}/v1/searches/${undisturbed}`);
  const lasted = Date.parse(ended!) - Date.parse(createdAt);
  const expected = await readOutcome(calm, undisturbed);
  quiet.child.kill('SIGKILL');
  assert.equal(expected.status, 'succeeded');
  t.diagnostic(`undisturbed in ${lasted} ms`);

  const stateDir = await temporaryDirectory(t);
  const start = () => startProcess(t, stateDir, { TRAINING_WORKERS: '2', NODE_V8_COVERAGE: '' });
  let service = start();
  let base = await serviceAddress(service);
  const { id } = await requestJson<Search>(`${base}/v1/searches`, body);
  const countEvents = async () => {
    const { data } = await requestJson<{ data: SearchEvent[] }>(`${base}/v1/searches/${id}/events`);
    return data.length;
  };
  for (let kill = 1; kill <= KILLS; kill++) {
    if (kill % 2 === 0) await setTimeout(random() * EARLY * lasted);
    else {
      await untilSearch(base, id, () => true, await countEvents());
      await setTimeout(random() * LATE * lasted);
    }
    const { finishedAt } = await requestJson<Search>(`${base}/v1/searches/${id}`);
    assert.equal(finishedAt, null, `the search ended before kill ${kill}`);
    service.child.kill('SIGKILL');
    await service.exited;
    service = start();
    base = await serviceAddress(service);
  }
  await untilSearch(base, id);
  assert.deepEqual(await readOutcome(base, id), expected);
});
