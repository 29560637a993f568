import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EpochRecord } from '../../src/domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { type Process, requestJson, serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory, tiny } from '../support/start-service.ts';
import { openPage, options, shownEpoch, untilEpoch } from './page.ts';

/** Longer than the test, with epochs that can be counted. */
const body = tiny({
  network: { hidden: [16] },
  training: { epochs: 10_000, batchSize: 64, validation: { fraction: 0.5 } },
});

/** Messages of the browser while the service does not respond or starts. */
const AWAY = /net::ERR_|status of 503/;

test('after a kill of the service, a job on the page continues without a gap', options, async (t) => {
  const stateDir = await temporaryDirectory(t);
  const start = (port: string): Process =>
    startProcess(t, stateDir, {
      DATA_DIR,
      PORT: port,
      NODE_V8_COVERAGE: '',
      MAX_EVENT_LOOP_DELAY_MS: '60000',
    });
  const first = start('0');
  const url = await serviceAddress(first);
  const { id } = await requestJson<TrainingJob>(`${url}/v1/training-jobs`, body);

  const page = await openPage(t, url, { path: `#/jobs/${id}`, expected: AWAY });
  await untilEpoch(page, 3);
  // Further epochs than those that were loaded with the screen arrive as events.
  await untilEpoch(page, (await shownEpoch(page)) + 3);
  const lastIds: number[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/events')) lastIds.push(Number(request.headers()['last-event-id']));
  });
  first.child.kill('SIGKILL');
  await first.exited;
  await page.getByText('No response since').waitFor();
  const shown = await shownEpoch(page);
  assert.ok(shown >= 3, `the page still shows the epochs: ${shown}`);

  await serviceAddress(start(new URL(url).port));
  await page.getByText('No response since').waitFor({ state: 'detached' });
  await untilEpoch(page, shown + 3);
  // The first three epochs are more than three events.
  assert.ok(lastIds.length > 0 && lastIds.every((lastId) => lastId > 3), `last event ids: ${lastIds}`);

  await requestJson(`${url}/v1/training-jobs/${id}/cancel`, {});
  await page.locator('.status.cancelled').waitFor();
  await page.getByText('Numbers').first().click();
  const rows = page.getByRole('region', { name: 'Numbers of the chart' }).locator('tbody tr');
  await rows.first().waitFor();
  const epochs = await rows.evaluateAll((all: { cells: { textContent: string }[] }[]) =>
    all.map(({ cells }) => Number(cells[0]!.textContent)),
  );
  const { data } = await requestJson<{ data: EpochRecord[] }>(`${url}/v1/training-jobs/${id}/metrics`);
  assert.deepEqual(
    epochs,
    data.slice(-epochs.length).map(({ epoch }) => epoch),
  );
  const from = epochs[0]!;
  assert.deepEqual(
    epochs,
    epochs.map((_, n) => from + n),
  );
});
