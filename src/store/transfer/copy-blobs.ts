/** Copies the blobs that rows refer to. */
import { rm } from 'node:fs/promises';
import type { Kysely } from 'kysely';
import { type Kind, REFERENCES } from '../blobs/references.ts';
import type { Database } from '../database/tables.ts';
import type { BlobName, TransferSide } from './side.ts';
import { readPages, TRANSFERRED } from './tables.ts';

/**
 * Copies the blobs that the target does not store yet.
 * @param temporary path of a file that is replaced
 * @returns the number of copied blobs
 * @throws AtelierError `state-unusable` if a blob is missing or damaged, `storage-full`
 */
export async function copyBlobs(
  source: TransferSide,
  target: TransferSide,
  temporary: string,
): Promise<number> {
  let copied = 0;
  for await (const { kind, blobs } of blobPages(source.db)) {
    for (const blob of await target.blobs[kind].missing(blobs)) {
      await rm(temporary, { force: true });
      await source.blobs[kind].read(blob, temporary);
      await target.blobs[kind].write(blob, temporary);
      copied += 1;
    }
  }
  return copied;
}

/** Reads every blob again. @throws AtelierError `state-unusable` if one is missing or damaged */
export async function verifyBlobs(target: TransferSide, temporary: string): Promise<void> {
  for await (const { kind, blobs } of blobPages(target.db)) {
    for (const blob of blobs) {
      await rm(temporary, { force: true });
      await target.blobs[kind].read(blob, temporary);
    }
  }
}

/**
 * A page names each blob once; one that several rows refer to may be in several pages. Two data sets may have the same
 * bytes, and a state directory has a file for each.
 */
async function* blobPages(db: Kysely<Database>): AsyncGenerator<{ kind: Kind; blobs: BlobName[] }> {
  for (const { kind, table, column } of REFERENCES) {
    const [id] = TRANSFERRED[table];
    for await (const rows of readPages(db, table, [...TRANSFERRED[table], column])) {
      const named = rows.filter((row) => row[column] !== null);
      // Versions without a calibration, for example, of which a page may have no other.
      if (named.length === 0) continue;
      const names = named.map((row) => ({ digest: String(row[column]), id: String(row[id]) }));
      const isSame = kind === 'datasets' ? 'id' : 'digest';
      yield { kind, blobs: [...new Map(names.map((name) => [name[isSame], name])).values()] };
    }
  }
}
