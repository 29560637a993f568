/** Moves memory across a thread boundary instead of copying it; the sender loses access to it. */
import { move, Piscina } from 'piscina';

/** The buffers under `views` that one view covers completely. A small Buffer shares its memory with many others. */
export function transferableBuffers(views: readonly ArrayBufferView[]): ArrayBuffer[] {
  const complete = views.filter((view) => view.byteLength === view.buffer.byteLength);
  return [...new Set(complete.map((view) => view.buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Marks `value` as the result of a task that moves the memory under `views`. */
export function transferResult<T extends object>(value: T, views: readonly ArrayBufferView[]): T {
  const { transferableSymbol, valueSymbol } = Piscina;
  // Piscina unwraps this object before posting it, so callers receive a T.
  return move({ [transferableSymbol]: transferableBuffers(views), [valueSymbol]: value } as never) as T;
}
