/** The result of a prediction job as CSV (RFC 4180), one line per image. */

import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { toCsvCell } from '../../charts/csv.ts';
import { parseNpy } from '../../formats/arrays/npy.ts';
import { NPY_HEAD_BYTES, readNpyHeader } from '../../formats/arrays/npy-header.ts';
import { UNSURE_REASONS } from '../../numerics/calibration/judge.ts';
import type { Labels } from '../../numerics/examples/labels.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import { isDiskFull, storageFull } from '../../store/blobs/directory.ts';

/** Writes the result of a prediction job as CSV. The names are paths. */
export interface PredictionsTableTask {
  readonly images: number;
  readonly probabilities: string;
  readonly labels: string | null;
  readonly judgements: string | null;
  readonly classNames: readonly string[];
  /** Whether each line holds the probabilities of all classes. */
  readonly hasAllClasses: boolean;
  /** The new file to write. */
  readonly target: string;
}

/** Limits of a chunk. */
const CHUNK_IMAGES = 1000;
const CHUNK_VALUES = 1e5;
const END = '\r\n';

/** @throws AtelierError `storage-full` */
export function writePredictionsTable(task: PredictionsTableTask): undefined {
  const { probabilities, labels, judgements, classNames, hasAllClasses, target } = task;
  const names = classNames.map(toCsvCell);
  const trueLabels = labels === null ? null : (parseNpy(readFileSync(labels)).data as Labels);
  const [source, file] = [openSync(probabilities, 'r'), openSync(target, 'wx')];
  const judged = judgements === null ? null : openSync(judgements, 'r');
  const write = (text: string) => writeFileSync(file, text);
  try {
    const { dataOffset, shape } = readHeader(source);
    const judgedOffset = judged === null ? 0 : readHeader(judged).dataOffset;
    const [images, classes] = shape as [number, number];
    const columns = ['index', 'label', 'className', 'probability'];
    if (trueLabels) columns.push('trueLabel', 'trueClassName', 'correct');
    if (judged !== null) columns.push('classes', 'unsure', 'unsureBecause');
    if (hasAllClasses) columns.push(...classNames.map((_, label) => `probability${label}`));
    write(columns.join() + END);
    const size = Math.min(CHUNK_IMAGES, Math.ceil(CHUNK_VALUES / classes));
    for (let start = 0; start < images; start += size) {
      const count = Math.min(size, images - start);
      const chunk = new Float32Array(count * classes);
      readSync(source, chunk, 0, chunk.byteLength, dataOffset + 4 * start * classes);
      const sets = new Uint8Array(judged === null ? 0 : count * (classes + 1));
      if (judged !== null) readSync(judged, sets, 0, sets.length, judgedOffset + start * (classes + 1));
      let text = '';
      for (let n = 0; n < count; n++) {
        const row = chunk.subarray(n * classes, (n + 1) * classes);
        const label = argmax(row);
        text += `${start + n},${label},${names[label]},${toNumber(row[label]!)}`;
        if (trueLabels) {
          const truth = trueLabels[start + n]!;
          text += `,${truth},${names[truth]},${label === truth}`;
        }
        if (judged !== null) text += `,${judgementCells(sets, n, row)}`;
        if (hasAllClasses) for (const probability of row) text += `,${toNumber(probability)}`;
        text += END;
      }
      write(text);
    }
  } catch (error) {
    throw isDiskFull(error) ? storageFull('the predictions', error) : error;
  } finally {
    closeSync(source);
    closeSync(file);
    if (judged !== null) closeSync(judged);
  }
}

/** The labels of the set, most probable first; whether the prediction is unsure, and why. */
function judgementCells(sets: Uint8Array, image: number, row: Float32Array): string {
  const own = sets.subarray(image * (row.length + 1), (image + 1) * (row.length + 1));
  const labels = [...row.keys()]
    .filter((label) => own[label] === 1)
    .sort((a, b) => row[b]! - row[a]! || a - b);
  const reason = own[row.length]!;
  return `${labels.join(' ')},${reason > 0},${reason > 0 ? UNSURE_REASONS[reason - 1] : ''}`;
}

function readHeader(file: number) {
  const head = new Uint8Array(NPY_HEAD_BYTES);
  const read = readSync(file, head, 0, head.length, 0);
  const size = fstatSync(file).size;
  return readNpyHeader(head.subarray(0, read), size);
}

/** JSON has null for an undefined probability, CSV an empty cell. */
const toNumber = (probability: number) => (Number.isFinite(probability) ? probability : '');
