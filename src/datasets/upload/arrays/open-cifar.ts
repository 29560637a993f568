/**
 * The form of CIFAR-10 and CIFAR-100 in their binary version: records of one or two labels and 3 × 32 × 32 bytes.
 * Format: https://www.cs.toronto.edu/~kriz/cifar.html
 */
import { type ByteSource, fileSource, readHead } from '../byte-source.ts';
import type { OpenForm, SentFiles } from '../form.ts';
import { rejectPart } from '../reject-part.ts';
import { splitInName } from '../split-names.ts';
import type { LabelledArrays } from './match-roles.ts';
import { openLabelled } from './open-arrays.ts';

const IMAGE_BYTES = 3 * 32 * 32;
/** For each data set its labels before an image, and the files with the names of its classes. */
const KINDS = [
  { labels: 1, names: ['batches.meta.txt'] },
  { labels: 2, names: ['coarse_label_names.txt', 'fine_label_names.txt'] },
] as const;
const CHUNK_IMAGES = 256;
const MAX_NAMES_BYTES = 2 ** 16;

interface Batch {
  readonly source: ByteSource;
  readonly bytes: number;
  readonly isTest: boolean;
}

export const openCifar: OpenForm = async (sent) => {
  // The order of the archive does not matter.
  const batches = findBatches(sent).sort((a, b) => (a.source.part < b.source.part ? -1 : 1));
  const kind = KINDS.find(({ labels }) =>
    batches.every(({ bytes }) => bytes > 0 && bytes % (labels + IMAGE_BYTES) === 0),
  );
  if (batches.length === 0 || !kind) return undefined;
  const { labels: requested } = sent.fields;
  if (requested === 'filename' || requested === 'table' || (requested !== null && kind.labels === 1))
    rejectPart(
      'labels',
      `it is ${requested}, but ${kind.labels === 1 ? 'CIFAR-10 has one label an image; omit it' : 'CIFAR-100 has fine and coarse labels'}`,
    );
  const place = requested === 'coarse' ? 0 : kind.labels - 1;
  const arrays = (isTest: boolean) =>
    toArrays(
      batches.filter((batch) => batch.isTest === isTest),
      kind.labels,
      place,
    );
  const [train, test] = [arrays(false), arrays(true)];
  if (!train) return rejectPart(batches[0]!.source.part, 'it has no batch to train on');
  const classNames = sent.fields.classNames ?? (await readNames(sent, kind.names[place]!));
  return openLabelled(
    { train, validation: null, test },
    { ...sent.fields, classNames },
    sent.maxBytes,
    'Of CIFAR.',
  );
};

function findBatches({ files, archive }: SentFiles): Batch[] {
  if (archive) {
    return archive.files.flatMap(({ name, bytes }, file) => {
      const part = name.split(/[/\\]/).at(-1)!;
      return part.endsWith('.bin')
        ? [{ source: archive.source(file, part), bytes, isTest: splitInName(part) === 'test' }]
        : [];
    });
  }
  // An array of another form has a head of its own length.
  return files.map(({ part, path, bytes }) => ({
    source: fileSource(part, path, bytes),
    bytes: part === 'train' || part === 'test' ? bytes : 0,
    isTest: part === 'test',
  }));
}

/** The lines of a file of the archive; null without it. */
async function readNames({ archive }: SentFiles, wanted: string): Promise<string[] | null> {
  const file = archive?.files.findIndex(({ name }) => name.endsWith(wanted)) ?? -1;
  if (file < 0) return null;
  const text = (await readHead(archive!.source(file), MAX_NAMES_BYTES)).toString();
  return text.split(/\s*\n/).filter((line) => line !== '');
}

/** @param place of the label among those of a record */
function toArrays(batches: readonly Batch[], labels: number, place: number): LabelledArrays | null {
  if (batches.length === 0) return null;
  const record = labels + IMAGE_BYTES;
  const count = batches.reduce((sum, { bytes }) => sum + bytes / record, 0);
  /** The bytes from `start` to `end` of each record. */
  async function* column(start: number, end: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const width = end - start;
    const collected = new Uint8Array(CHUNK_IMAGES * width);
    let [at, filled] = [0, 0];
    for (const { source } of batches) {
      for await (const chunk of source.open()) {
        for (let read = 0; read < chunk.length; ) {
          const skipped = at < start ? start - at : at >= end ? record - at : 0;
          const taken = Math.min(chunk.length - read, skipped || end - at);
          if (skipped === 0) {
            collected.set(chunk.subarray(read, read + taken), filled);
            filled += taken;
          }
          read += taken;
          at = (at + taken) % record;
          if (filled < collected.length) continue;
          yield collected;
          filled = 0;
        }
      }
    }
    if (filled > 0) yield collected.subarray(0, filled);
  }
  const common = {
    part: batches[0]!.source.part,
    format: 'cifar',
    dtype: 'u1',
    fortranOrder: false,
  } as const;
  return {
    images: { ...common, shape: [count, 3, 32, 32], chunks: () => column(labels, record) },
    labels: { ...common, shape: [count], chunks: () => column(place, place + 1) },
  };
}
