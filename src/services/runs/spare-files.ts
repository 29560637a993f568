/** File descriptors that the start of a thread needs. */
import { type FileHandle, open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { createSemaphore } from '../../concurrency/semaphore.ts';

/** A training with several threads opens a few descriptors for each, and files one after the other. */
const SPARE_FILES = 64;
/** Two checks at the same time would take the files from each other. */
const checks = createSemaphore(1);

/** @throws an error for which `isOutOfFiles` holds, if the process cannot open that many files now */
export const assertSpareFiles = (): Promise<void> => checks.run(openSpareFiles);

async function openSpareFiles(): Promise<void> {
  const opened: FileHandle[] = [];
  try {
    while (opened.length < SPARE_FILES) opened.push(await open(devNull));
  } finally {
    for (const file of opened) await file.close();
  }
}
