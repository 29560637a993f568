import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgressView, type ProgressView } from '../../../cli/follow/progress.ts';
import type { JobEvent } from '../../../src/domain/jobs/training.ts';
import { epochRecord } from '../../store/fixtures.ts';

const CLEAR = '\r\u001B[K';

function viewOf(columns: number | null) {
  const view = createProgressView((text) => void written.push(text), 4, columns);
  const written: string[] = [];
  const show = (type: string, data: object) => view.show({ type, data } as JobEvent);
  /** What a call writes. */
  const by = (call: (view: ProgressView) => void) => {
    written.length = 0;
    call(view);
    return written.join('');
  };
  return { by, show: (type: string, data: object) => by(() => show(type, data)) };
}

test('prints a line per epoch, change of status and warning', () => {
  const { by, show } = viewOf(null);
  assert.equal(show('progress', { epoch: 1, fraction: 0.1, etaSeconds: 3 }), '');
  assert.equal(
    show('epoch', epochRecord(1, 0.625)),
    'epoch 1: loss 0.5000, validation loss 0.6250, accuracy 0.7500, test accuracy 0.8500\n',
  );
  assert.equal(show('epoch', { ...epochRecord(2, null), testAccuracy: null }), 'epoch 2: loss 0.5000\n');
  assert.equal(show('status', { to: 'paused' }), 'status: paused\n');
  assert.equal(
    show('status', { to: 'queued', preemptedBy: 'job_2' }),
    'status: queued, because job_2 has a higher priority\n',
  );
  assert.equal(show('warning', { message: 'A\u0007.' }), 'warning: A\uFFFD.\n');
  assert.equal(show('warning', { code: 'x' }), 'warning: {"code":"x"}\n');
  assert.equal(
    by((view) => view.showLost()),
    'connection lost, reconnecting\n',
  );
  assert.equal(
    by((view) => view.showLost()),
    '',
    'once',
  );
  show('progress', {});
  assert.equal(
    by((view) => view.showLost()),
    'connection lost, reconnecting\n',
    'after the next event again',
  );
  assert.equal(
    by((view) => view.end()),
    '',
  );
});

test('draws a bar of twenty cells on a terminal, as wide as it is', () => {
  const { by, show } = viewOf(80);
  const bar = (cells: number, percent: string) =>
    `${CLEAR}${'█'.repeat(cells)}${'░'.repeat(20 - cells)}${percent}`;
  assert.equal(
    show('progress', { epoch: 1, fraction: 0.299, etaSeconds: 8.1 }),
    `${bar(5, '  29 %')} epoch 1/4 · 9 s left`,
  );
  // The epoch is further than the last progress.
  assert.equal(
    show('epoch', epochRecord(2, 0.625)),
    `${bar(10, '  50 %')} epoch 2/4 · loss 0.5000 · accuracy 0.7500 · 9 s left`,
  );
  assert.equal(
    show('epoch', { ...epochRecord(1, null), testAccuracy: null }),
    `${bar(10, '  50 %')} epoch 2/4 · loss 0.5000 · accuracy 0.8125 · 9 s left`,
  );
  assert.equal(
    show('epoch', epochRecord(4, null)),
    `${bar(20, ' 100 %')} epoch 4/4 · loss 0.5000 · accuracy 0.8500 · 9 s left`,
  );
  const lost = `${bar(20, ' 100 %')} connection lost, reconnecting`;
  assert.equal(
    by((view) => view.showLost()),
    lost,
  );
  assert.ok(show('status', { to: 'succeeded' }).startsWith(`${CLEAR}status: succeeded\n${CLEAR}█`));
  assert.equal(
    by((view) => view.end()),
    CLEAR,
  );
  const narrow = viewOf(31).show('progress', { epoch: 1, fraction: 0, etaSeconds: null });
  assert.equal(narrow, `${bar(0, '   0 %')} epo`);
});
