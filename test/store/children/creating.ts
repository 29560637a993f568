/**
 * Child process: creates jobs forever, each with an idempotency key, and prints the number and id of each job that
 * the store has acknowledged.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { idempotencyRecord, request, untouched } from '../fixtures.ts';

const store = await openStore(process.argv[2]!);
for (let n = 0; ; n++) {
  const { id } = await store.jobs.create(request(), untouched, {
    idempotency: idempotencyRecord(`key-${n}`),
  });
  writeSync(1, `${n} ${id}\n`);
}
