import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStorageService } from '../../../src/services/operations/storage.ts';
import { failure } from '../../store/fixtures.ts';

type Options = Parameters<typeof createStorageService>[0];
const size = (bytes: number) => ({ bytes, count: 1 });
const measuredAt = new Date('2099-01-01T00:00:00.000Z');
const disk = { free: 30, capacity: 100 };
const used = { database: size(1), models: size(2), other: size(4) };

const read = (state: object | Error, measureDatabase?: () => Promise<object>) =>
  createStorageService({
    readStateSizes: async () => {
      if (state instanceof Error) throw state;
      return state;
    },
    measureDatabase,
  } as unknown as Options).read();

test('sums the kinds of the state directory and of the database, and has the older of their times', async () => {
  const shown = { freeBytes: 30, totalBytes: 100 };
  const none = { unreferenced: null, events: null, metrics: null };
  assert.deepEqual(await read({ used, measuredAt, ...disk }), {
    measuredAt: measuredAt.toISOString(),
    kinds: { ...none, ...used },
    totalBytes: 7,
    disk: shown,
  });
  const startedAt = Date.now();
  const both = await read({ used, measuredAt, ...disk }, async () => ({ models: size(8), events: size(16) }));
  assert.deepEqual(both.kinds, { ...none, ...used, models: size(8), events: size(16) });
  assert.equal(both.totalBytes, 1 + 8 + 4 + 16);
  assert.ok(Date.parse(both.measuredAt!) >= startedAt && Date.parse(both.measuredAt!) <= Date.now());
  for (const missing of [
    { used: null, measuredAt },
    { used, measuredAt: null },
  ]) {
    const nothing = { measuredAt: null, kinds: null, totalBytes: null, disk: shown };
    assert.deepEqual(await read({ ...missing, ...disk }), nothing);
  }
});

test('a disk that cannot be read is an error of the state', async () => {
  await assert.rejects(read(new Error('EIO')), failure('state-unusable', 'STATE_DIR'));
});

test('a request waits five seconds for a measurement of the disk and of the database', async () => {
  const waits: unknown[] = [];
  const service = createStorageService({
    async readStateSizes(patienceMs: number) {
      waits.push(patienceMs);
      return { used, measuredAt, ...disk };
    },
  } as unknown as Options);
  await service.read();
  assert.deepEqual(waits, [5000]);
});
