/** Transfers memory across a thread boundary instead of copying it. The sender loses access. */
import { move, Piscina } from 'piscina';

/** The buffers that a view covers completely. Others are shared: a small Buffer is a slice of Node's buffer pool. */
export function transferableBuffers(views: readonly ArrayBufferView[]): ArrayBuffer[] {
  const complete = views.filter((view) => view.byteLength === view.buffer.byteLength);
  return [...new Set(complete.map((view) => view.buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Marks `value` as the result of a task that transfers the memory of `views`. */
export function transferResult<T extends object>(value: T, views: readonly ArrayBufferView[]): T {
  const { transferableSymbol, valueSymbol } = Piscina;
  // Piscina unwraps this object before posting it, so callers receive a T.
  return move({ [transferableSymbol]: transferableBuffers(views), [valueSymbol]: value } as never) as T;
}

/** Frees the memory of views that nothing reads any more, which V8 would keep until it collects garbage. */
export function release(views: readonly ArrayBufferView[]): void {
  for (const buffer of transferableBuffers(views)) buffer.transfer(0);
}
