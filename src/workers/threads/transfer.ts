/** Memory that moves to another thread instead of being copied. The sender loses access. */

/** The buffers that a view covers completely. Others are copied: a small Buffer is a slice of Node's buffer pool. */
export function transferableBuffers(views: readonly ArrayBufferView[]): ArrayBuffer[] {
  const complete = views.filter((view) => view.byteLength === view.buffer.byteLength);
  return [...new Set(complete.map((view) => view.buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** Bytes of the shared memory that a task or result refers to, as it does to the examples of a data set. */
export function sharedBytes(message: unknown): number {
  const members = membersOf(message);
  const views = [message, ...members, ...members.flatMap(membersOf)];
  const buffers = new Set(views.filter(ArrayBuffer.isView).map(({ buffer }) => buffer));
  return buffers
    .values()
    .filter((buffer) => buffer instanceof SharedArrayBuffer)
    .reduce((sum, { byteLength }) => sum + byteLength, 0);
}

const membersOf = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) ? Object.values(value) : [];

/** Frees the memory of views that nothing reads any more: V8 would keep it until it collects garbage. */
export function release(views: readonly ArrayBufferView[]): void {
  for (const buffer of transferableBuffers(views)) buffer.transfer(0);
}
