/** Identifies a file by its first bytes: its kind for error messages, and its media type. */
import { isUtf8 } from 'node:buffer';
import { isTarHeader } from './archives/tar.ts';

/** The number of bytes that `identifyFile` needs. */
export const KIND_BYTES = 512;

export interface FileKind {
  /** A noun phrase such as "a PNG image", "text" or "an empty file". */
  readonly kind: string;
  /** Media type, of images and of what requests hold. */
  readonly type?: string | undefined;
}

/** Bytes at an offset, as Latin-1; sources: the specifications of the formats and the database of file(1). */
const SIGNATURES: readonly (readonly [offset: number, bytes: string, kind: string, type?: string])[] = [
  [0, '\x89PNG', 'a PNG image', 'image/png'],
  [0, '\xff\xd8\xff', 'a JPEG image', 'image/jpeg'],
  [8, 'WEBP', 'a WebP image', 'image/webp'],
  [0, 'GIF8', 'a GIF image', 'image/gif'],
  [4, 'ftyphei', 'a HEIC image', 'image/heic'],
  [4, 'ftyphev', 'a HEIC image', 'image/heic'],
  [4, 'ftypmif1', 'a HEIC image', 'image/heic'],
  [4, 'ftypavi', 'an AVIF image', 'image/avif'],
  [4, 'ftypcrx', 'a Canon raw image'],
  [4, 'ftyp', 'a video'],
  [0, 'II*\0', 'a TIFF image', 'image/tiff'],
  [0, 'MM\0*', 'a TIFF image', 'image/tiff'],
  [0, 'BM', 'a BMP image', 'image/bmp'],
  [4, 'JXL \r\n\x87\n', 'a JPEG XL image', 'image/jxl'],
  [4, 'jP  \r\n\x87\n', 'a JPEG 2000 image', 'image/jp2'],
  [0, '8BPS\0', 'a Photoshop image', 'image/vnd.adobe.photoshop'],
  [0, '%PDF-', 'a PDF document'],
  [0, 'Rar!\x1a\x07', 'a RAR archive'],
  [0, '7z\xbc\xaf\x27\x1c', 'a 7z archive'],
  [0, '\xfd7zXZ\0', 'an xz file'],
  [0, 'BZh', 'a bzip2 file'],
  [0, '\x28\xb5\x2f\xfd', 'a zstd file'],
  [0, '\x1f\x8b', 'a gzip file'],
  [0, 'PK\x03\x04', 'a zip archive'],
  [0, 'PK\x05\x06', 'a zip archive'],
  [0, '\x93NUMPY', 'an npy array', 'application/x-npy'],
  [0, '\0\0\x08', 'an IDX array'],
  [0, '\0\0\x0d', 'an IDX array'],
  [0, '\x89HDF\r\n\x1a\n', 'an HDF5 file'],
  [0, 'PAR1', 'a Parquet file'],
  [0, 'SQLite format 3\0', 'a SQLite database'],
  [0, '\x80\x02', 'a pickle'],
  [0, '\x80\x04', 'a pickle'],
  [8, '{"', 'a safetensors file'],
];

/** Shorter signatures also begin texts: "BM", "BZh". */
const MIN_SIGNATURE_BYTES = 4;

const TEXTS: readonly (readonly [start: RegExp, kind: string, type?: string])[] = [
  [/^[\t\n\r ]*[[{]/, 'JSON', 'application/json'],
  [/^\s*<(?:!doctype )?html/i, 'an HTML page'],
  [/^\s*<(?:\?xml|svg)/, 'an XML document'],
];

/**
 * @param start the first 512 bytes, or the whole file if it is shorter
 * @returns undefined for an unknown kind
 */
export function identifyFile(start: Uint8Array): FileKind | undefined {
  if (start.length === 0) return { kind: 'an empty file' };
  const latin1 = Buffer.from(start).toString('latin1');
  const isJson = latin1.startsWith('{') || latin1.startsWith('[');
  const known = isJson ? undefined : SIGNATURES.find(([offset, bytes]) => latin1.startsWith(bytes, offset));
  if (known && (known[1].length >= MIN_SIGNATURE_BYTES || !isText(start))) {
    return { kind: known[2], type: known[3] };
  }
  if (isTarHeader(start)) return { kind: 'a tar archive' };
  if (!isText(start)) return undefined;
  const text = Buffer.from(start)
    .toString()
    .replace(/^\ufeff/, '');
  const [, kind = 'text', type] = TEXTS.find(([pattern]) => pattern.test(text)) ?? [];
  return { kind, type };
}

/** @returns the noun phrase of `identifyFile` */
export const describeFile = (start: Uint8Array): string | undefined => identifyFile(start)?.kind;

/** Whether the bytes are UTF-8 without control characters; the last character may be incomplete. */
function isText(bytes: Uint8Array): boolean {
  const isControl = (byte: number) => byte < 0x20 && byte !== 0x1b && (byte < 0x09 || byte > 0x0d);
  if (bytes.some(isControl)) return false;
  return [0, 1, 2, 3].some((cut) => cut < bytes.length && isUtf8(bytes.subarray(0, bytes.length - cut)));
}
