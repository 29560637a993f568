/** Upload forms of data sets. Stored data sets are deleted again, and no file may remain. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type Arrays, idx, npz, pair, whole } from './data-set-files.ts';
import { BOUNDARY, fixtures, form, images } from './files.ts';
import type { Parser } from './input.ts';
import { answered } from './running-service.ts';

const MOST_LOOKS = 1000;

export function formsOfDatasets(): Parser {
  const files = [
    encodeForm({ file: npz(whole, 6) }, { name: 'Made to fail', classNames: '["shirt", "shoe"]' }),
    encodeForm({ file: npz(whole, 0) }),
    encodeForm(whole),
    encodeForm({ ...whole, train_images: fixtures('npy', 'pictures-f4.npy')[0]! }),
    encodeForm(
      {
        train_images: gzipSync(idx(images, [8, 28, 28])),
        train_labels: idx(Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1), [8]),
      },
      { testFraction: '0.5', seed: '7' },
    ),
    encodeForm({
      ...whole,
      train_images: idx(pair.pixels, [2, 28, 28]),
      train_labels: gzipSync(idx(pair.labels, [2])),
    }),
  ];
  return answered(files, async ({ app, stateDir }, bytes) => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/datasets',
      headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
      payload: Buffer.from(bytes),
    });
    if (response.statusCode === 201) {
      const url = response.headers.location!;
      const { statusCode } = await app.inject({ method: 'DELETE', url });
      if (statusCode !== 204) throw new Error(`Deleting ${url} failed with ${statusCode}.`);
    }
    await untilEmpty(join(stateDir, 'datasets'));
    return response;
  });
}

function encodeForm(files: Arrays, fields: Readonly<Record<string, string>> = {}): Uint8Array {
  const texts = Object.entries(fields).map(([name, text]) => ({ name, bytes: Buffer.from(text) }));
  const type = 'application/octet-stream';
  const sent = Object.entries(files).map(([name, bytes]) => ({ name, filename: name, type, bytes }));
  return form([...texts, ...sent]);
}

/** Waits until temporary files are removed: this happens after the response. */
async function untilEmpty(folder: string): Promise<void> {
  let left = await readdir(folder);
  for (let looks = 0; left.length > 0 && looks < MOST_LOOKS; looks++) {
    await setTimeout(5);
    left = await readdir(folder);
  }
  if (left.length > 0) throw new Error(`${left.join(', ')} remained.`);
}
