/** A process that can open few files. Prints whether enough are spare: twice at once, with others open, and again. */
import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { isOutOfFiles } from '../../../src/errors.ts';
import { assertSpareFiles } from '../../../src/services/runs/spare-files.ts';

const areSpare = () =>
  assertSpareFiles().then(
    () => true,
    (error) => (isOutOfFiles(error) ? false : String(error)),
  );

const found = await Promise.all([areSpare(), areSpare()]);
const others = await Promise.all(Array.from({ length: 50 }, () => open(devNull)));
found.push(await areSpare());
for (const file of others) await file.close();
found.push(await areSpare());
console.log(JSON.stringify(found));
