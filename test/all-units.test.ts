/** Runs the unit tests in one process, because a process per file would take longer to start. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { UNIT_FOLDERS } from './unit-folders.ts';

const files = globSync(`{${UNIT_FOLDERS.join(',')}}/**/!(*.slow).test.ts`, { cwd: import.meta.dirname });
for (const file of files.toSorted()) await import(join(import.meta.dirname, file));
