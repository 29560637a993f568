/**
 * A process that reads inputs: child.ts MODULE NAME SEED FROM TO FOLDER MEMORY. Saves inputs to FOLDER that give neither a
 * value nor an error with a code. Exits with `OUT_OF_MEMORY` after the first input that exceeds MEMORY bytes.
 */
import { join } from 'node:path';
import { AtelierError } from '../../src/errors.ts';
import { saveFailure } from './failures.ts';
import { createInput, type Parsers } from './input.ts';
import { NOTHING, openProgress } from './progress.ts';

export const PROGRESS_FILE = 'progress';
export const OUT_OF_MEMORY = 9;

if (import.meta.main) {
  const [module, name, ...rest] = process.argv.slice(2) as [string, string, ...string[]];
  const [seed, from, to, memoryBytes] = [rest[0], rest[1], rest[2], rest[4]].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const folder = rest[3]!;
  const { all } = (await import(module)) as { all: Parsers };
  const parser = await all[name]!();
  await parser.open?.();
  const progress = openProgress(join(folder, PROGRESS_FILE));
  const now = { ...NOTHING };
  for (now.at = from; now.at < to; now.at++) {
    progress.write(now);
    const { bytes, random } = createInput(parser, name, seed, now.at);
    // A parser may modify its input.
    const kept = bytes.slice();
    const before = performance.now();
    try {
      await parser.parse(bytes, random);
      now.values++;
    } catch (error) {
      if (error instanceof AtelierError) now.refusals++;
      else {
        now.failures++;
        saveFailure(
          folder,
          { name, index: now.at, what: error instanceof Error ? error.stack! : String(error) },
          kept,
        );
      }
    }
    now.slowestMs = Math.max(now.slowestMs, performance.now() - before);
    now.peakBytes = process.resourceUsage().maxRSS * 1024;
    if (now.peakBytes > memoryBytes) {
      progress.write(now);
      process.exit(OUT_OF_MEMORY);
    }
  }
  progress.write(now);
  progress.close();
  await parser.close?.();
  process.exit();
}
