/** Streaming reader of .npz files. `formats/arrays/npz.ts` reads small ones in memory. */

import { ARRAY_NAMES } from '../../../domain/datasets/upload-form.ts';
import { openFile } from '../../../formats/archives/range-source.ts';
import { readNpzDirectory } from '../../../formats/arrays/npz.ts';
import { describeFile, KIND_BYTES } from '../../../formats/file-kinds.ts';
import { type ByteSource, gunzippedSource, readHead, zipEntrySource } from '../byte-source.ts';
import { rejectAs, rejectPart } from '../reject-part.ts';

const SINGLE_ARRAYS = Object.values(ARRAY_NAMES).flat().join(', ');

/**
 * Reads the directory of the archive without decompressing any entry.
 * @param maxBytes limit of all arrays together, decompressed
 * @returns the arrays by name, without `.npy`
 * @throws AtelierError `invalid-dataset-file`
 */
export function openNpz(part: string, path: string, maxBytes: number): ReadonlyMap<string, ByteSource> {
  const reject = rejectAs(part);
  using archive = openFile(path, reject);
  return new Map(
    readNpzDirectory(archive, maxBytes).map((entry) => {
      const name = entry.name.replace(/\.npy$/, '');
      return [name, zipEntrySource(name, path, entry, reject)];
    }),
  );
}

/** Rejects a file that is not an archive, and names what it is. */
export async function rejectOther(source: ByteSource): Promise<never> {
  const start = await readHead(source, KIND_BYTES);
  const kind = describeFile(start) ?? 'a file of an unknown format';
  const isGzip = start[0] === 0x1f && start[1] === 0x8b;
  const inside = isGzip ? describeFile(await readHead(gunzippedSource(source), KIND_BYTES)) : undefined;
  const found = inside === undefined ? kind : `${kind} that holds ${inside}`;
  return rejectPart(
    source.part,
    `it is ${found}, but must be an archive: a zip, tar or tar.gz of images in class folders, such as cat/1.png, or an npz of ` +
      `arrays; send single arrays as ${SINGLE_ARRAYS}`,
  );
}
