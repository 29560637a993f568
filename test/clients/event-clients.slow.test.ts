/** Restarts of the service while clients of other authors follow a job. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { EVENT_CLIENTS } from '../http/event-clients.ts';
import { upTo } from '../http/read-events.ts';
import { requestJson, serviceAddress, startProcess } from '../support/start-process.ts';
import { endless, temporaryDirectory } from '../support/start-service.ts';

/** Time between the end of a process and the start of the next one. */
const OUTAGE_MS = 1000;
/** A client that waited for the grace period of a shutdown, 20 s, or stopped at a 503, would not be back by then. */
const BACK_WITHIN_MS = 12_000;

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`after ${signal} and a restart, every client continues without a gap or a repeat`, async (t) => {
    const stateDir = await temporaryDirectory(t);
    const first = startProcess(t, stateDir);
    const base = await serviceAddress(first);
    const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, endless);
    const url = `${base}/v1/training-jobs/${id}/events`;

    let restarted = Number.POSITIVE_INFINITY;
    const clients = Object.entries(EVENT_CLIENTS).map(([name, follow]) => {
      const ids: number[] = [];
      const [started, back] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()];
      const stopped = follow(url, (text) => {
        ids.push(Number(text));
        started.resolve();
        if (performance.now() > restarted) back.resolve(performance.now() - restarted);
      });
      return { name, ids, started, back, stopped };
    });
    await Promise.all(clients.map(({ started }) => started.promise));
    first.child.kill(signal);
    await first.exited;
    await wait(OUTAGE_MS);
    const second = startProcess(t, stateDir, { PORT: new URL(base).port });
    await listens(base);
    restarted = performance.now();
    await serviceAddress(second);

    for (const { name, back } of clients) {
      const milliseconds = await Promise.race([
        back.promise,
        wait(BACK_WITHIN_MS, undefined, { ref: false }),
      ]);
      assert.ok(milliseconds !== undefined, `${name} is not back`);
      t.diagnostic(`${name} is back ${Math.round(milliseconds)} ms after the port is bound`);
    }
    await requestJson(`${base}/v1/training-jobs/${id}/cancel`, {});
    await Promise.all(clients.map(({ stopped }) => stopped));
    for (const { name, ids } of clients) assert.deepEqual(ids, upTo(ids.length), name);
    const events = await requestJson<{ data: { id: number }[] }>(`${url}?after=${clients[0]!.ids.length}`);
    assert.deepEqual(events.data, []);
    assert.equal(new Set(clients.map(({ ids }) => ids.length)).size, 1);
  });
}

/** Resolves when the port is bound, which is before the service is ready. */
async function listens(base: string): Promise<void> {
  const attempt = () =>
    fetch(`${base}/health/live`).then(
      (response) => response.ok,
      () => false,
    );
  while (!(await attempt())) await wait(5);
}
