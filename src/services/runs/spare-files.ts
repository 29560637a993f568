/** File descriptors that the start of a thread needs. */
import { type FileHandle, open } from 'node:fs/promises';
import { devNull } from 'node:os';

/** A training with several threads opens a few descriptors for each, and files one after the other. */
const SPARE_FILES = 64;

/** @throws an error for which `isOutOfFiles` holds, if the process cannot open that many files now */
export async function assertSpareFiles(): Promise<void> {
  const opened: FileHandle[] = [];
  try {
    while (opened.length < SPARE_FILES) opened.push(await open(devNull));
  } finally {
    for (const file of opened) await file.close();
  }
}
