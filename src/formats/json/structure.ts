/** Scans the structure of JSON text: brackets, colons, commas and strings. The syntax is left to the parser. */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
const BACKSLASH = 0x5c;

// "[" and "{" differ by one bit, and so do "]" and "}".
export const isOpening = (byte: number): boolean => (byte & 0xdf) === 0x5b;
export const isClosing = (byte: number): boolean => (byte & 0xdf) === 0x5d;

/**
 * @param visit called with the byte and its index for each bracket, colon and comma outside of strings, and for each string
 *   with its opening quote, its index and the index after its closing quote; returns true to stop
 */
export function scanStructure(
  bytes: Uint8Array,
  visit: (byte: number, start: number, end: number) => boolean,
): void {
  for (let n = 0; n < bytes.length; n++) {
    const byte = bytes[n]!;
    if (byte === QUOTE) {
      const start = n;
      n = stringEnd(bytes, start) - 1;
      if (visit(byte, start, n + 1)) return;
    } else if (byte === COMMA || byte === COLON || isOpening(byte) || isClosing(byte)) {
      if (visit(byte, n, n + 1)) return;
    }
  }
}

/** The index after the closing quote of a string; beyond the end if the string is not closed. */
export function stringEnd(bytes: Uint8Array, start: number): number {
  let end = start + 1;
  while (end < bytes.length && bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1;
  return end + 1;
}
