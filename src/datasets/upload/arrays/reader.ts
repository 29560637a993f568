/** Streaming reader of one array in an uploaded file: npy, IDX, or IDX compressed with gzip. */

import type { ArrayReport } from '../../../domain/datasets/report.ts';
import { NPZ_PART } from '../../../domain/datasets/upload-form.ts';
import { AtelierError } from '../../../errors.ts';
import type { NpyData } from '../../../formats/arrays/npy.ts';
import {
  NPY_HEAD_BYTES,
  NPY_SIGNATURE,
  NPY_VIEWS,
  type NpyHeader,
  readNpyHeader,
} from '../../../formats/arrays/npy-header.ts';
import { describeFile, KIND_BYTES } from '../../../formats/file-kinds.ts';
import { type ByteSource, gunzippedSource, readHead } from '../byte-source.ts';
import { rejectPart } from '../reject-part.ts';
import { readIdxHeader } from './idx-header.ts';

export interface ArrayReader extends Pick<NpyHeader, 'dtype' | 'shape' | 'fortranOrder'> {
  readonly part: string;
  readonly format: ArrayReport['format'];
  /**
   * The elements in file order. Each chunk is overwritten by the next.
   * @throws AtelierError `invalid-dataset-file` if the data is too short, too long or damaged
   */
  chunks(): AsyncIterable<NpyData>;
}

const CHUNK_BYTES = 2 ** 18;

/** @throws AtelierError `invalid-dataset-file` if the format is unsupported, or the header contradicts the length */
export async function openArrayReader(source: ByteSource): Promise<ArrayReader> {
  const head = await readHead(source, NPY_HEAD_BYTES);
  const { part } = source;
  if (head.toString('latin1', 0, NPY_SIGNATURE.length) === NPY_SIGNATURE) {
    if (source.bytes === null)
      rejectPart(
        part,
        'npy arrays compressed with gzip are not supported; send the array uncompressed, or in an npz',
      );
    return createArrayReader(source, 'npy', npyHeader(part, head, source.bytes));
  }
  if (head[0] === 0x1f && head[1] === 0x8b && source.bytes !== null)
    return openArrayReader(gunzippedSource(source));
  if (head[0] === 0 && head[1] === 0)
    return createArrayReader(source, 'idx', readIdxHeader(part, head, source.bytes));
  const kind = describeFile(head.subarray(0, KIND_BYTES));
  const found = kind === undefined ? 'it is not' : `it is ${kind}, not`;
  const archives = part === NPZ_PART ? '' : `; send an archive of images in class folders as ${NPZ_PART}`;
  return rejectPart(part, `${found} an npy or IDX array, nor an IDX array compressed with gzip${archives}`);
}

function npyHeader(part: string, head: Uint8Array, fileBytes: number): NpyHeader {
  try {
    return readNpyHeader(head, fileBytes);
  } catch (cause) {
    if (cause instanceof AtelierError) return rejectPart(part, cause.message, cause);
    throw cause;
  }
}

function createArrayReader(
  source: ByteSource,
  format: ArrayReader['format'],
  header: NpyHeader,
): ArrayReader {
  const { part } = source;
  const { dtype, shape, fortranOrder, dataOffset, dataBytes } = header;
  const View = NPY_VIEWS[dtype];
  return {
    part,
    format,
    dtype,
    shape,
    fortranOrder,
    async *chunks() {
      // A separate buffer keeps the view aligned to the element type.
      const buffer = new Uint8Array(CHUNK_BYTES);
      const view = (bytes: number) => new View(buffer.buffer, 0, bytes / View.BYTES_PER_ELEMENT);
      let filled = 0;
      let remaining = dataBytes;
      let skip = dataOffset;
      for await (const chunk of source.open()) {
        const skipped = Math.min(skip, chunk.length);
        skip -= skipped;
        remaining -= chunk.length - skipped;
        if (remaining < 0) rejectPart(part, `it continues after the ${dataBytes} bytes of its data`);
        for (let at = skipped; at < chunk.length; ) {
          const taken = Math.min(CHUNK_BYTES - filled, chunk.length - at);
          buffer.set(chunk.subarray(at, at + taken), filled);
          at += taken;
          filled += taken;
          if (filled < CHUNK_BYTES) continue;
          yield view(filled);
          filled = 0;
        }
      }
      if (remaining > 0 || skip > 0)
        rejectPart(part, `it ends ${remaining} bytes before the end of its data`);
      if (filled > 0) yield view(filled);
    },
  };
}
