import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobsToKill } from '../support/jobs-to-kill.ts';
import { assertSameOutcome, killOften, runUndisturbed } from '../support/kill-often.ts';
import { startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';

/** `npm run kills` kills more often. */
const KILLS = 10;
const requests = jobsToKill(KILLS);

test(`killed ${KILLS} times at random moments, two jobs end like undisturbed ones, without lost data`, async (t) => {
  const environment = { TRAINING_WORKERS: String(requests.length) };
  const quiet = startProcess(t, await temporaryDirectory(t), environment);
  const undisturbed = await runUndisturbed(quiet, requests);
  quiet.child.kill('SIGKILL');
  assert.deepEqual(
    undisturbed.map(({ job }) => job.stoppedAt?.reason),
    ['completed', 'early-stopping'],
  );

  const stateDir = await temporaryDirectory(t);
  // A killed process writes no coverage, and collecting it would take a third of the time.
  const start = () => startProcess(t, stateDir, { ...environment, NODE_V8_COVERAGE: '' });
  const { histories: stories, killedAt } = await killOften({
    start,
    requests,
    undisturbed,
    kills: KILLS,
    seed: 1,
  });
  assert.equal(killedAt.length, KILLS);
  for (const [n, story] of stories.entries()) {
    assertSameOutcome(story, undisturbed[n]!);
    const checkpoints = story.events.filter(({ type }) => type === 'checkpoint');
    assert.ok(checkpoints.length >= 3, `only ${checkpoints.length} checkpoints`);
  }
});
