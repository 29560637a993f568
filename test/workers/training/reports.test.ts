import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerReport } from '../../../src/workers/training/messages.ts';
import { createTrainingReports } from '../../../src/workers/training/reports.ts';
import { epochRecord, underway } from '../../store/fixtures.ts';

const at = (step: number) => ({ ...underway, step });
const finished = (epoch: number) => ({ record: epochRecord(epoch, null), warnings: [] });

/** Reports of a run, and what they have posted: the step of a progress, the epochs and their last step, or another kind. */
function open() {
  // Sums and differences of whole milliseconds are exact.
  const startedAt = Math.floor(performance.now());
  const posted: (number | string)[] = [];
  const reports = createTrainingReports((report: WorkerReport) => {
    if (report.kind === 'progress') posted.push(report.progress.step);
    else if (report.kind !== 'epochs') posted.push(report.kind);
    else posted.push(`${report.epochs.map(({ record }) => record.epoch)} to ${report.progress.step}`);
  });
  return { reports, posted, startedAt };
}

test('progress is reported once a second', () => {
  const { reports, posted, startedAt } = open();
  for (const ms of [0, 999, 60_000, 60_999, 61_000, 61_500]) reports.afterStep(startedAt + ms, () => at(ms));
  assert.deepEqual(posted, [60_000, 61_000]);
});

test('the first epoch is reported at once, and those of the second after it together', () => {
  const { reports, posted, startedAt } = open();
  for (const n of [1, 2, 3]) reports.afterEpoch(startedAt + 100 * n, finished(n), at(n));
  assert.deepEqual(posted, ['1 to 1']);
  // The second counts from the end of the second epoch. Progress is not computed while epochs are waiting.
  reports.afterStep(startedAt + 1199, assert.fail);
  assert.equal(posted.length, 1);
  reports.afterStep(startedAt + 1200, assert.fail);
  assert.deepEqual(posted, ['1 to 1', '2,3 to 3']);
  for (const n of [4, 5]) reports.afterEpoch(startedAt + 60_000, finished(n), at(n));
  assert.deepEqual(posted.slice(2), ['4 to 4', '5 to 5']);
});

test('at most a hundred epochs are reported together, and before anything else', () => {
  const { reports, posted, startedAt } = open();
  for (let n = 1; n <= 102; n++) reports.afterEpoch(startedAt, finished(n), at(n));
  const hundred = Array.from({ length: 100 }, (_, n) => n + 2);
  assert.deepEqual(posted, ['1 to 1', `${hundred} to 101`]);
  reports.post({ kind: 'checkpoint', step: 102, epoch: 102, loss: null, bytes: new Uint8Array() });
  reports.flush();
  assert.deepEqual(posted.slice(2), ['102 to 102', 'checkpoint']);
});

test('a stop reports the progress unless it was reported last', () => {
  const { reports, posted, startedAt } = open();
  reports.afterEpoch(startedAt, finished(1), at(10));
  // The event of a single epoch has no progress.
  reports.afterStop(at(10));
  for (const n of [2, 3]) reports.afterEpoch(startedAt, finished(n), at(10 * n));
  reports.afterStop(at(30));
  reports.afterStop(at(31));
  assert.deepEqual(posted, ['1 to 10', 10, '2,3 to 30', 31]);
});
