/** Removes the arrays around single numbers from JSON text: the channel of grey images that have one. */
import { isClosing, isOpening, scanStructure } from './structure.ts';

/** Images of a batch are nested at least this deep: object, batch, image, row, pixel. */
const MIN_DEPTH = 5;
const SPACE = 0x20;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Overwrites the brackets around each single number with spaces, so that a parser needs no memory for its array. Arrays
 * that are nested less deep are kept, because a shape or a list of columns may have one element.
 * @param bytes JSON, valid or not; changed in place
 */
export function unwrapSingleNumbers(bytes: Uint8Array): void {
  let depth = 0;
  /** Index of the bracket after which nothing but a number, true, false or null was found, else −1. */
  let opened = -1;
  scanStructure(bytes, (byte, at) => {
    if (byte === CLOSE && opened >= 0 && hasDigit(bytes, opened, at)) {
      bytes[opened] = SPACE;
      bytes[at] = SPACE;
    }
    if (isOpening(byte)) depth++;
    else if (isClosing(byte)) depth--;
    opened = byte === OPEN && depth >= MIN_DEPTH ? at : -1;
    return false;
  });
}

function hasDigit(bytes: Uint8Array, start: number, end: number): boolean {
  for (let n = start; n < end; n++) if (bytes[n]! >= ZERO && bytes[n]! <= NINE) return true;
  return false;
}
