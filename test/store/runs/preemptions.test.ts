import assert from 'node:assert/strict';
import { newJob, runOf, startRun, temporaryStore } from '../fixtures.ts';
import { storeTest } from '../store-test.ts';

storeTest(
  'one of several runs is stopped for a queued job, and no other one until it has ended',
  async (t) => {
    const store = await temporaryStore(t);
    const { jobs } = store;
    const [first, second, waiting] = [
      await newJob(store, 'running'),
      await newJob(store, 'running'),
      await newJob(store),
    ];
    const before = (await jobs.contest(waiting))!;
    assert.deepEqual(
      before.active.map(({ id, rank, run, status }) => [id, rank, run, status]),
      [second, first].map((id) => [id, 1, 1, 'running']),
    );
    const stopped = await Promise.all(before.active.map((job) => jobs.recordPreemption(before, job)));
    assert.deepEqual(stopped.toSorted(), [false, true]);
    const victim = stopped[0] ? second : first;
    assert.equal((await jobs.contest(waiting))!.stopping, victim);
    await runOf(victim).release(0, waiting);
    const preemptedBy = async () => (await jobs.get(victim))!.preemptedBy;
    const record = async (id: string) => {
      const contest = (await jobs.contest(id))!;
      assert.ok(await jobs.recordPreemption(contest, contest.active[0]!));
    };
    assert.equal(await preemptedBy(), waiting);
    await record(victim);
    assert.deepEqual(
      [(await jobs.contest(victim))!.stopping, await preemptedBy()],
      [stopped[0] ? first : second, waiting],
    );
    assert.equal((await jobs.contest(waiting))!.stopping, null);
    await startRun(store, victim);
    assert.equal((await jobs.contest(waiting))!.stopping, null, 'another run of the job');
    assert.equal(await preemptedBy(), null);
    await startRun(store, waiting);
    assert.equal(await jobs.contest(waiting), null);
    assert.equal(await jobs.recordPreemption(before, before.active[0]!), false);
  },
);
