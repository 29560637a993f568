/** Finds duplicate keys in JSON objects. JSON.parse silently keeps the last one. */
import { COLON, isClosing, isOpening, QUOTE, scanStructure } from './structure.ts';

/**
 * @param json text that JSON.parse accepts
 * @returns the first key that occurs twice in an object, compared after unescaping, or undefined
 */
export function findDuplicateKey(json: Uint8Array): string | undefined {
  const opened: Set<string>[] = [];
  let text = json.subarray(0, 0);
  let repeated: string | undefined;
  scanStructure(json, (byte, start, end) => {
    if (byte === QUOTE) text = json.subarray(start, end);
    else if (isOpening(byte)) opened.push(new Set());
    else if (isClosing(byte)) opened.pop();
    else if (byte === COLON) {
      const keys = opened.at(-1)!;
      const key: string = JSON.parse(Buffer.from(text).toString());
      if (keys.has(key)) repeated = key;
      keys.add(key);
    }
    return repeated !== undefined;
  });
  return repeated;
}
