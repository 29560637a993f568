/** Cache-Control of representations that have an ETag. `private`, because a key may be required to read them. */
const MAX_AGE_SECONDS = 31_536_000;

/** @param isImmutable whether the URL always means the same bytes */
export function cacheControl(isImmutable: boolean): string {
  return isImmutable ? `private, max-age=${MAX_AGE_SECONDS}, immutable` : 'private, no-cache';
}
