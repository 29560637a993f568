/** Clears the upper halves of the vector registers, which the wide vectors of the kernel leave filled. */
import { isAscii } from 'node:buffer';

/** As many bytes as the widest register has. */
const ZEROS = new Uint8Array(64);

/**
 * As long as the upper halves are filled, processors of Intel execute instructions of the older encoding, SSE, one after
 * another: each keeps the upper half of its result, so it waits for the one before. Compiled C++ clears the halves at the
 * end of a routine with wide vectors (VZEROUPPER); V8 does not. `isAscii` is the routine that takes the least time.
 */
export function clearVectors(): void {
  isAscii(ZEROS);
}
