/** Describes a file of another kind than its content type: a PNG sent as raw pixels, or as JSON. */
import { type FileKind, identifyFile, KIND_BYTES } from '../formats/file-kinds.ts';
import { ENCODED_IMAGE_TYPES } from './base64.ts';

/** Accepted types that have a signature; raw pixels have none. */
const TYPES: readonly string[] = ['application/json', 'application/x-npy', ...ENCODED_IMAGE_TYPES];

export const identifyBody = (bytes: Uint8Array): FileKind | undefined =>
  bytes.length === 0 ? undefined : identifyFile(bytes.subarray(0, KIND_BYTES));

/**
 * @param expected what the bytes should have been: "raw pixels"
 * @returns sentences that name the kind, and what to send
 */
export function describeOtherKind({ kind, type = '' }: FileKind, expected: string): string {
  const advice = TYPES.includes(type)
    ? `it with \`content-type: ${type}\``
    : `${TYPES.join(', ')}, or raw pixels as application/octet-stream`;
  return `This is ${kind}, not ${expected}. Send ${advice}.`;
}
