/** Memory that moves to another thread instead of being copied. The sender loses access. */

/** The buffers that a view covers completely. Others are copied: a small Buffer is a slice of Node's buffer pool. */
export function transferableBuffers(views: readonly ArrayBufferView[]): ArrayBuffer[] {
  const complete = views.filter((view) => view.byteLength === view.buffer.byteLength);
  return [...new Set(complete.map((view) => view.buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Frees the memory of views that nothing reads any more: V8 would keep it until it collects garbage. */
export function release(views: readonly ArrayBufferView[]): void {
  for (const buffer of transferableBuffers(views)) buffer.transfer(0);
}
