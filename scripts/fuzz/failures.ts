/** Failing inputs, saved as files for inspection and replay. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Failure {
  readonly name: string;
  readonly index: number;
  readonly what: string;
}

export function saveFailure(folder: string, failure: Failure, bytes: Uint8Array): void {
  const path = join(folder, `${failure.name.replaceAll(' ', '-')}-${failure.index}`);
  writeFileSync(`${path}.bin`, bytes);
  writeFileSync(`${path}.json`, JSON.stringify(failure));
}

export function savedFailures(folder: string): Failure[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const failures = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Failure);
  return failures.toSorted((a, b) => a.index - b.index);
}
