/** Rewrites archives with Zip64 records. */

const [ENTRY, END] = ['PK\x01\x02', 'PK\x05\x06'];

/** The same archive, whose counts, sizes and offsets are all in Zip64 records. */
export function asZip64(original: Uint8Array): Buffer {
  const archive = Buffer.from(original);
  const end = archive.lastIndexOf(END);
  const start = archive.readUInt32LE(end + 16);
  const entries: Buffer[] = [];
  for (let at = start; at < end; ) {
    const next = at + 46 + archive.readUInt16LE(at + 28) + archive.readUInt16LE(at + 30);
    const entry = Buffer.from(archive.subarray(at, next));
    const extra = Buffer.alloc(28);
    extra.writeUInt16LE(1);
    extra.writeUInt16LE(24, 2);
    for (const [n, field] of [24, 20, 42].entries()) {
      extra.writeBigUInt64LE(BigInt(entry.readUInt32LE(field)), 4 + 8 * n);
      entry.writeUInt32LE(0xffff_ffff, field);
    }
    entry.writeUInt16LE(entry.readUInt16LE(30) + extra.length, 30);
    entries.push(entry, extra);
    at = next;
  }
  const directory = Buffer.concat(entries);
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  for (const at of [24, 32]) record.writeBigUInt64LE(BigInt(archive.readUInt16LE(end + 10)), at);
  record.writeBigUInt64LE(BigInt(directory.length), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(start + directory.length), 8);
  locator.writeUInt32LE(1, 16);
  const last = Buffer.from(archive.subarray(end)).fill(0xff, 8, 20);
  return Buffer.concat([archive.subarray(0, start), directory, record, locator, last]);
}

/** The archive with one changed number of 64 bits in the first Zip64 record with this signature. */
export function changedZip64(archive: Uint8Array, signature: string, at: number, value: bigint): Buffer {
  const copy = Buffer.from(archive);
  copy.writeBigUInt64LE(value, copy.indexOf(Buffer.from(signature, 'latin1'), copy.indexOf(ENTRY)) + at);
  return copy;
}
