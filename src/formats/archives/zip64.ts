/**
 * Zip64 records of zip archives: counts, sizes and offsets of 64 bits.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.14, 4.3.15 and 4.5.3
 */

/** A field with all bits set refers to the value of 64 bits. */
const MAX_16 = 0xffff;
const MAX_32 = 0xffff_ffff;
const LOCATOR = { signature: 0x0706_4b50, bytes: 20 };
const END = { signature: 0x0606_4b50, bytes: 56, uncountedBytes: 12 };
const EXTRA_ID = 1;

/** Where the central directory lies; offsets are relative to the archive. */
export interface DirectoryRange {
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the Zip64 end record. Some writers add it even to small archives (PyTorch, `zip -fz`).
 * @param view the end of the archive
 * @param viewOffset offset of `view` in the archive
 * @param end position of the plain end record in `view`
 * @param plain the range of the plain end record
 * @returns null without a Zip64 end record; undefined if it is damaged or contradicts the plain one
 */
export function readZip64End(
  view: DataView,
  viewOffset: number,
  end: number,
  plain: DirectoryRange,
): DirectoryRange | null | undefined {
  const locator = end - LOCATOR.bytes;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR.signature) return null;
  const offset = uint64(view, locator + 8);
  const at = offset - viewOffset;
  if (!(at >= 0 && at + END.bytes <= locator) || view.getUint32(at, true) !== END.signature) return undefined;
  if (at + END.uncountedBytes + uint64(view, at + 4) !== locator) return undefined;
  const [count, start] = [uint64(view, at + 32), uint64(view, at + 48)];
  if (plain.count !== MAX_16 && plain.count !== count) return undefined;
  if (plain.start !== MAX_32 && plain.start !== start) return undefined;
  return { count, start, end: offset };
}

/**
 * Replaces the values that have all bits set, in this order, by the ones of the Zip64 extra field.
 * @param extra the extra fields of an entry of the directory
 * @returns the same values without a Zip64 extra field; undefined if it is too short
 */
export function readZip64Extra(extra: DataView, values: readonly number[]): readonly number[] | undefined {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const [id, start] = [extra.getUint16(at, true), at + 4];
    const end = start + extra.getUint16(at + 2, true);
    if (id === EXTRA_ID) return end > extra.byteLength ? undefined : replace(extra, start, end, values);
    at = end;
  }
  return values;
}

function replace(extra: DataView, start: number, end: number, values: readonly number[]) {
  const count = values.filter((value) => value === MAX_32).length;
  if (start + 8 * count > end) return undefined;
  let at = start;
  return values.map((value) => {
    if (value !== MAX_32) return value;
    at += 8;
    return uint64(extra, at - 8);
  });
}

/** Inexact above 2⁵³, but then greater than any limit. */
const uint64 = (view: DataView, at: number) => Number(view.getBigUint64(at, true));
