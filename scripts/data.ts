/** `npm run data`: the four .npy files of Fashion-MNIST in DATA_DIR. Also runs before `npm start`. */
import { rejectArguments } from '../src/commands/command-line.ts';
import { holdsOriginal, inspect } from './data/inspect.ts';

rejectArguments('Usage: npx atelier data, where DATA_DIR is the folder of the files.');
if (process.env['DATASETS'] === 'none' && process.env['npm_lifecycle_event'] !== 'data') {
  console.log('Data set: none, because DATASETS is none.');
  process.exit();
}
const directory = process.env['DATA_DIR'] || 'data';
const interruption = new AbortController();
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  // Pending work fails, removes its temporary files, and the process exits.
  process.on(signal, () => {
    process.exitCode = exitCode;
    interruption.abort(new Error('Interrupted; no partial file remains.'));
  });
}

try {
  const found = await inspect(directory);
  if (found.every(({ defect }) => defect === undefined)) {
    const own = [];
    // `npm start` waits for this script, and reading all bytes takes longer than everything else in it.
    if (process.env['npm_lifecycle_event'] !== 'prestart') {
      for (const file of found) if (!(await holdsOriginal(file))) own.push(file.file.npy);
    }
    const whose = own.length > 0 ? ` Not Fashion-MNIST's original bytes, and kept: ${own.join(', ')}.` : '';
    console.log(`Data set: the four .npy files in ${directory} are there.${whose}`);
  } else {
    // Loaded only if needed, so that a start with the files in place is not delayed.
    const [{ fill }, { allSources }] = await Promise.all([
      import('./data/fill.ts'),
      import('./data/sources.ts'),
    ]);
    await fill(directory, found, allSources(directory), console.log, interruption.signal);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode ??= 1;
}
