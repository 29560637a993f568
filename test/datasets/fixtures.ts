import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { AtelierError, type ErrorCode } from '../../src/errors.ts';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import type { ImageBatch } from '../../src/images/batch.ts';
import { openImage } from '../../src/images/encoded.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../src/numerics/network/image-shape.ts';

/** Reads a file that NumPy wrote: scripts/fixtures/npy.py. */
export function npyFixture(name: string): Promise<Buffer> {
  return readFile(new URL(`../fixtures/npy/${name}.npy`, import.meta.url));
}

/** The two images of the fixtures: all grey values in ascending order, repeated. */
export const IMAGES = Uint8Array.from({ length: 2 * 784 }, (_, i) => i % 256);

export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'atelier-datasets-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** For assert.throws and assert.rejects: an AtelierError of this code whose message matches. */
export function isAtelierError(
  code: ErrorCode,
  message: RegExp = /./,
  pointer?: string,
): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof AtelierError, `not an AtelierError: ${error}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    if (pointer !== undefined) {
      const [detail] = error.details;
      assert.equal(detail && 'pointer' in detail ? detail.pointer : undefined, pointer);
    }
    return true;
  };
}

/** Returns the decoded value, or undefined after an AtelierError. Other errors are rethrown. */
export function onlyAtelierErrors<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    assert.ok(error instanceof AtelierError, error instanceof Error ? error.stack : String(error));
    return undefined;
  }
}

/** Opens and decodes an image of 28×28, as `openImage` does. */
export async function decodeImage(bytes: Uint8Array): Promise<ImageBatch> {
  return (await (await openImage(bytes, DEFAULT_IMAGE_SHAPE)).decode()).batch;
}

export const TRAIN_IMAGES = 'fashion_mnist_train_images.npy';
export const TRAIN_LABELS = 'fashion_mnist_train_labels.npy';
export const labelsOf = (...labels: number[]) => npyBytes(new Uint8Array(labels), [labels.length]);

/** A DATA_DIR with two training images and one test image. */
export async function dataFolder(
  context: TestContext,
  files: Record<string, Uint8Array> = {},
): Promise<string> {
  const folder = temporaryFolder(context);
  const all = {
    [TRAIN_IMAGES]: npyBytes(IMAGES, [2, 28, 28]),
    [TRAIN_LABELS]: labelsOf(9, 0),
    'fashion_mnist_test_images.npy': npyBytes(IMAGES.subarray(0, 784), [1, 784]),
    'fashion_mnist_test_labels.npy': labelsOf(3),
    ...files,
  };
  for (const [name, bytes] of Object.entries(all)) await writeFile(join(folder, name), bytes);
  return folder;
}
