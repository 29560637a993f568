/** Runs the tests of the store again, in databases that order text by bytes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { orderTextByBytes } from './store-test.ts';

orderTextByBytes();
const files = readdirSync(import.meta.dirname).filter((file) => /(?<!\.slow)\.test\.ts$/.test(file));
for (const file of files.toSorted()) {
  const path = join(import.meta.dirname, file);
  if (readFileSync(path, 'utf8').includes('storeTest(')) await import(path);
}
