/** Kills, freezes and cut connections of replicas and their database during a job. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PURPOSE, randomUniform } from '../../src/numerics/random.ts';
import { startCluster } from '../support/cluster.ts';
import { type Disturbance, disturb } from '../support/disturb.ts';
import { jobsToKill } from '../support/jobs-to-kill.ts';
import { assertSameOutcome, runUndisturbed } from '../support/kill-often.ts';
import { withoutPostgres } from '../support/servers/postgres.ts';
import { startPostgres } from '../support/servers/postgres-server.ts';
import { startProcess } from '../support/start-process.ts';
import { addCleanup, temporaryDirectory } from '../support/start-service.ts';
import { recordWrites, staleWrites, writesOf } from '../support/write-log.ts';

const DISTURBANCES: readonly Disturbance[] = ['kill', 'kill', 'freeze', 'kill', 'drop', 'database', 'kill'];
/** Seconds of a drop, a freeze and an outage of the database, at least: the job continues elsewhere before they end. */
const SECONDS = 2;
/** Long enough for this many kills without pauses, since the job also trains while a replica starts. */
const LENGTH = 35;

test('kills, a freeze, lost packets and a killed database neither lose nor repeat anything', {
  skip: withoutPostgres,
}, async (t) => {
  const [body] = jobsToKill(LENGTH);
  const quiet = startProcess(t, await temporaryDirectory(t), { TRAINING_WORKERS: '1' });
  const [undisturbed] = await runUndisturbed(quiet, [body!]);
  quiet.child.kill('SIGKILL');

  // A killed database keeps what it has committed.
  const postgres = await startPostgres(['fsync=on', 'full_page_writes=on', 'synchronous_commit=on']);
  addCleanup(t, postgres.remove);
  const cluster = await startCluster(t, postgres.url, 3, { TRAINING_WORKERS: '1' });
  const observer = await cluster.add({ ROLE: 'api' });
  await recordWrites(postgres.url);
  let draws = 0;
  const { history } = await disturb({
    cluster,
    observer: observer.base,
    url: postgres.url,
    postgres,
    body: body!,
    lastStep: undisturbed!.job.stoppedAt!.step,
    disturbances: DISTURBANCES,
    seconds: SECONDS,
    random() {
      draws += 1;
      return randomUniform(1, PURPOSE.shuffle, 0, draws);
    },
    longestWaitMs: 300,
    onDisturbed: (each) => t.diagnostic(JSON.stringify(each)),
  });
  assertSameOutcome(history, undisturbed!);
  const writes = await writesOf(postgres.url, history.job.id);
  assert.deepEqual(staleWrites(writes), []);
  assert.ok(new Set(writes.map(({ writer }) => writer)).size > 2, 'the job never moved');
});
