/** Child process: appends events to a new job endlessly, and prints acknowledged ids. */
import { writeSync } from 'node:fs';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { newJob } from '../fixtures.ts';

const store = await openStore(process.argv[2]!);
const jobId = await newJob(store);
writeSync(1, `${jobId}\n`);
for (let n = 1; ; n++) {
  const { id } = await store.events.append(jobId, 'warning', { n });
  writeSync(1, `${id}\n`);
}
