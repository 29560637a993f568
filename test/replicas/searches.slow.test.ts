/** A search on two replicas, one of them killed, has the usual outcome. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Search } from '../../src/domain/searches/representation.ts';
import { startCluster } from '../support/cluster.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { readOutcome, smallSearch, untilSearch } from '../support/search-outcome.ts';
import { createDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { requestJson, serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';

test('trials run on both replicas, and a killed replica changes nothing', {
  skip: withoutPostgres,
}, async (t) => {
  // Trials that last long enough for the second replica to claim some of them on any machine.
  const small = smallSearch();
  const body = {
    ...small,
    parallel: 4,
    training: { ...small.training, epochs: 8, validation: { fraction: 0.5 } },
  };
  const alone = startProcess(t, await temporaryDirectory(t), { DATA_DIR, TRAINING_WORKERS: '1' });
  const calm = await serviceAddress(alone);
  const { id: undisturbed } = await requestJson<Search>(`${calm}/v1/searches`, body);
  await untilSearch(calm, undisturbed);
  const expected = await readOutcome(calm, undisturbed);
  alone.child.kill('SIGKILL');
  assert.equal(expected.status, 'succeeded');

  const cluster = await startCluster(t, await createDatabase('C'), 2, { DATA_DIR, TRAINING_WORKERS: '1' });
  const [first, second] = cluster.replicas;
  const { id } = await requestJson<Search>(`${first!.base}/v1/searches`, body);
  // The events of the other replica also arrive at this one.
  const bothRun = () => [first!, second!].every(({ process }) => process.output().includes('"job running"'));
  await untilSearch(second!.base, id, ({ progress }) => progress.paused > 1 && bothRun());
  await first!.kill();
  await untilSearch(second!.base, id, ({ progress }) => progress.stopped > 0);
  await first!.restart();
  await untilSearch(first!.base, id);
  assert.deepEqual(await readOutcome(second!.base, id), expected);
});
