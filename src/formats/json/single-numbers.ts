/** Removes the arrays around single numbers from JSON text: the channel of images of 28×28×1. */

/** Images of a batch are nested at least this deep: object, batch, image, row, pixel. */
const MIN_DEPTH = 5;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/**
 * Overwrites the brackets around each single number with spaces, so that a parser needs no memory for its array. Arrays
 * that are nested less deep are kept, because a shape or a list of columns may have one element.
 * @param bytes JSON, valid or not; changed in place
 */
export function unwrapSingleNumbers(bytes: Uint8Array): void {
  let depth = 0;
  /** Index of the bracket before a number, else −1. */
  let opened = -1;
  let hasDigit = false;
  let isQuoted = false;
  for (let n = 0; n < bytes.length; n++) {
    const byte = bytes[n]!;
    if (isQuoted) {
      if (byte === BACKSLASH) n++;
      else if (byte === QUOTE) isQuoted = false;
    } else if (byte === QUOTE) {
      isQuoted = true;
      opened = -1;
    } else if (byte === COMMA) {
      opened = -1;
    } else if ((byte & 0xdf) === OPEN) {
      depth++;
      opened = byte === OPEN && depth >= MIN_DEPTH ? n : -1;
      hasDigit = false;
    } else if ((byte & 0xdf) === CLOSE) {
      depth--;
      if (byte === CLOSE && opened >= 0 && hasDigit) {
        bytes[opened] = SPACE;
        bytes[n] = SPACE;
      }
      opened = -1;
    } else if (byte >= 0x30 && byte <= 0x39) {
      hasDigit = true;
    }
  }
}
