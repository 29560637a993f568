/** Recognizes data sets in formats that are not read. The error has the two lines of Python that turn one into npz. */
import { quote } from '../../formats/models/file-error.ts';
import { fileSource, gunzippedSource, readHead } from './byte-source.ts';
import { START_BYTES } from './folders/archive.ts';
import type { SentFiles } from './form.ts';
import { rejectPart } from './reject-part.ts';

interface ForeignFormat {
  readonly kind: string;
  readonly matches: (start: Buffer) => boolean;
  /** @param file name in quotes */
  readonly python: (file: string) => readonly [load: string, save: string];
}

const startsWith = (...texts: readonly string[]) => {
  return (start: Buffer) => texts.some((text) => start.toString('latin1', 0, text.length) === text);
};

export const FOREIGN_FORMATS: readonly ForeignFormat[] = [
  {
    // Protocols 2 to 5. The names are those of CIFAR in its Python version.
    kind: 'a pickle, which could run code when it is loaded',
    matches: startsWith('\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05'),
    python: (file) => [
      `import pickle, numpy; d = pickle.load(open(${file}, "rb"), encoding="bytes"); print(d.keys())`,
      'numpy.savez_compressed("data.npz", images=d[b"data"].reshape(-1, 3, 32, 32), labels=d[b"labels"])',
    ],
  },
  {
    // Version 7.3 is HDF5. The names and shapes are those of SVHN, whose label 10 is the digit 0.
    kind: 'a .mat file of MATLAB',
    matches: startsWith('MATLAB 5.0'),
    python: (file) => [
      `import numpy, scipy.io; d = scipy.io.loadmat(${file}); print(d.keys())`,
      'numpy.savez_compressed("data.npz", images=d["X"].transpose(3, 0, 1, 2), labels=d["y"].ravel() % 10)',
    ],
  },
  {
    kind: 'an HDF5 file',
    // MATLAB puts 512 bytes before it.
    matches: startsWith('\x89HDF\r\n\x1a\n', 'MATLAB 7.3'),
    python: (file) => [
      `import h5py, numpy; d = h5py.File(${file}); print(list(d))`,
      'numpy.savez_compressed("data.npz", images=d["images"][:], labels=d["labels"][:])',
    ],
  },
  {
    kind: 'a TFRecord file',
    // A length of 64 bits, its checksum, and the first field of an Example.
    matches: (start) =>
      start.length > 12 && start.readUInt32LE(4) === 0 && start.readUInt32LE(0) > 0 && start[12] === 0x0a,
    python: (file) => [
      `import numpy, tensorflow as tf; d = [tf.train.Example.FromString(r.numpy()).features.feature for r in tf.data.TFRecordDataset(${file})]; print(d[0].keys())`,
      'numpy.savez_compressed("data.npz", images=[tf.io.decode_image(e["image"].bytes_list.value[0]) for e in d], labels=[e["label"].int64_list.value[0] for e in d])',
    ],
  },
];
/** Files of an archive that are looked at. */
const MAX_FILES = 20;

/** @throws AtelierError `invalid-dataset-file` if a file has one of these formats */
export async function rejectForeignFiles({ files, archive }: SentFiles): Promise<void> {
  const rejectAt = (part: string, name: string, start: Buffer) => {
    const found = FOREIGN_FORMATS.find(({ matches }) => matches(start));
    if (!found) return;
    const lines = found.python(JSON.stringify(name)).join('\n');
    rejectPart(
      part,
      `${archive ? `${quote(name)} is` : 'it is'} ${found.kind}, and is not read. Turn it into npz with Python:\n${lines}\nwith the names that the first line prints, and send data.npz`,
    );
  };
  if (archive) {
    const looked = new Set(archive.files.keys().take(MAX_FILES));
    for await (const { index, bytes } of archive.read({ whole: new Set(), starts: looked }))
      rejectAt(files[0]!.part, archive.files[index]!.name, Buffer.from(bytes));
    return;
  }
  for (const { part, path, bytes } of files) {
    const source = fileSource(part, path, bytes);
    const start = await readHead(source, START_BYTES);
    const isGzip = start[0] === 0x1f && start[1] === 0x8b;
    rejectAt(part, part, isGzip ? await readHead(gunzippedSource(source), START_BYTES) : start);
  }
}
