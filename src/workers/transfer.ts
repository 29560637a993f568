/** Bytes that cross a thread boundary without being copied; whoever sent them has them no more. */
import { move, Piscina } from 'piscina';

/** The memory under the views, as far as it belongs to one of them alone: a small Buffer lies in a pool of many. */
export function transferableBuffers(views: readonly ArrayBufferView[]): ArrayBuffer[] {
  const owned = views.filter((view) => view.byteLength === view.buffer.byteLength);
  return [...new Set(owned.map((view) => view.buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Of a thread: answers `value`, and gives away the memory under `views`. */
export function transferResult<T extends object>(value: T, views: readonly ArrayBufferView[]): T {
  const { transferableSymbol, valueSymbol } = Piscina;
  // What it is in the thread is not what arrives, which is what callers are told of.
  return move({ [transferableSymbol]: transferableBuffers(views), [valueSymbol]: value } as never) as T;
}
