/** Encoded images inside JSON: Base64, alone or in a data URL (RFC 2397). */
import { rejectAt } from '../formats/json/limits.ts';

/** Limit per request: decoding this many images takes about a third of a second. */
export const MAX_ENCODED_IMAGES = 1000;
export const ENCODED_IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp'] as const;

/** Longer beginnings of data URLs are cut in error messages. */
const MAX_QUOTED_CHARS = 80;
/** Without a group that repeats: millions of parameters would overflow the stack of the regular expression. */
const DATA_URL = /^data:([^;,]*)((?:;[^,]*)?),/i;

/**
 * Both Base64 alphabets and line ends are allowed.
 * @returns the bytes of the image, not yet decoded
 * @throws AtelierError `invalid-request`
 */
export function fromBase64(text: string, pointer: string): Uint8Array {
  // Buffer.from ignores invalid characters, so reject them here.
  const stray = /[^\w+/=\s-]/.exec(text);
  if (stray)
    rejectAt(pointer, `is not Base64: it contains ${JSON.stringify(stray[0])} at index ${stray.index}`);
  return Buffer.from(text, 'base64');
}

/**
 * The format is detected from the bytes later; the declared type only has to be one of those that are accepted.
 * @returns the bytes of the image, not yet decoded
 * @throws AtelierError `invalid-request`, `unsupported-media-type`
 */
export function fromDataUrl(text: string, pointer: string): Uint8Array {
  const comma = text.indexOf(',');
  const [head, declared, parameters] = DATA_URL.exec(text.slice(0, comma + 1)) ?? [];
  if (head === undefined) {
    return rejectAt(pointer, 'must be a data URL, such as "data:image/png;base64,…", or { "b64": "…" }');
  }
  const type = declared!.toLowerCase();
  if (type !== 'image/jpg' && !(ENCODED_IMAGE_TYPES as readonly string[]).includes(type)) {
    const found = type === '' ? 'no media type' : `the unsupported type ${type.slice(0, MAX_QUOTED_CHARS)}`;
    const detail = `is a data URL with ${found}. Allowed: ${ENCODED_IMAGE_TYPES.join(', ')}`;
    return rejectAt(pointer, detail, 'unsupported-media-type');
  }
  if (!/;base64$/i.test(parameters!)) {
    return rejectAt(pointer, `is a data URL without Base64; write "data:${type};base64,…"`);
  }
  return fromBase64(text.slice(head.length), pointer);
}
