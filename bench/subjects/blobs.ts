/**
 * Stores and fetches one blob: `node bench/subjects/blobs.ts KIND ADDRESS BYTES ROUNDS WAY`.
 * KIND is `files`, `chunks` or `objects`; WAY is `memory` or `file`. Prints the result as one line of JSON.
 */
import { createHash, randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { type BlobStore, openBlobs } from '../../src/store/blobs/content-addressed.ts';
import { createChunkedBlobs } from '../../src/store/postgres/blobs/chunked.ts';
import { connectPostgres } from '../../src/store/postgres/connect.ts';
import { createS3Client } from '../../src/store/s3/client.ts';
import { createObjectBlobs } from '../../src/store/s3/object-blobs.ts';
import { createObjects } from '../../src/store/s3/objects.ts';
import { CREDENTIALS } from '../../test/support/servers/s3-server.ts';
import { median } from '../machine.ts';

export interface BlobResult {
  /** Medians in milliseconds. */
  readonly put: number;
  readonly get: number;
  /** Longest time that the event loop was held, in milliseconds. */
  readonly held: number;
  /** Growth of the largest resident memory, in MiB, beyond the growth by a small blob. */
  readonly memory: number;
}

const MEBIBYTE = 2 ** 20;
const [kind, address, size, rounds, way] = process.argv.slice(2) as [string, string, string, string, string];
const directory = await mkdtemp(join(tmpdir(), 'atelier-blobs-'));
const stores: Readonly<Record<string, () => Promise<{ blobs: BlobStore; close?: () => Promise<void> }>>> = {
  files: async () => ({ blobs: await openBlobs(join(directory, 'blobs')) }),
  async chunks() {
    const db = await connectPostgres({ url: address });
    return { blobs: createChunkedBlobs(db), close: () => db.destroy() };
  },
  objects: async () => ({ blobs: createObjectBlobs(createObjects(createS3Client(address, CREDENTIALS))) }),
};
const { blobs, close } = await stores[kind]!();

/** Writes random bytes without holding them in memory. */
function writeRandom(path: string, bytes: number): void {
  rmSync(path, { force: true });
  for (let left = bytes; left > 0; left -= MEBIBYTE) {
    writeFileSync(path, randomBytes(Math.min(left, MEBIBYTE)), { flag: 'a' });
  }
}

const source = join(directory, 'source');
const copy = join(directory, 'copy');
const peak = () => process.resourceUsage().maxRSS / 1024;

/** @returns milliseconds of storing and of fetching */
async function once(bytes: number): Promise<[put: number, get: number]> {
  if (way === 'file') writeRandom(source, bytes);
  const content = way === 'memory' ? randomBytes(bytes) : Buffer.alloc(0);
  await wait(5); // until the loop is idle
  // A new one each time: one that is enabled again counts the time in between.
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  const digest = await (way === 'file' ? blobs.putFile(source) : blobs.put(content));
  const stored = performance.now();
  if (way === 'file') await blobs.getFile(digest, copy);
  else await blobs.get(digest);
  const fetched = performance.now();
  delay.disable();
  held = Math.max(held, delay.max / 1e6);
  if (way === 'memory' && digest !== `sha256:${createHash('sha256').update(content).digest('hex')}`) {
    throw new Error('The digest differs.');
  }
  await rm(copy, { force: true });
  await blobs.remove(digest);
  return [stored - start, fetched - stored];
}

let held = 0;
await once(1000);
const before = peak();
held = 0;
const times: [number, number][] = [];
for (let round = 0; round < Number(rounds); round++) times.push(await once(Number(size)));
const result: BlobResult = {
  put: median(times.map(([put]) => put)),
  get: median(times.map(([, get]) => get)),
  held,
  memory: peak() - before,
};
console.log(JSON.stringify(result));
await close?.();
await rm(directory, { recursive: true });
