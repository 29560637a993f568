/** Recognizes model files of other formats. The error names the format and how to save the model instead. */

import { memorySource } from '../archives/range-source.ts';
import { entryNames } from '../archives/zip-directory.ts';
import { quote, rejectModelFile } from './file-error.ts';

const FROM_PYTORCH = 'save it with safetensors.torch.save_file(model.state_dict(), "model.safetensors")';
const FROM_SKLEARN =
  'save the coefs_ and intercepts_ of an MLPClassifier as coefs_0, intercepts_0, … and its out_activation_ with np.savez("model.npz", …)';
const FROM_KERAS =
  'save the kernel and bias of each Dense layer as coefs_0, intercepts_0, … with np.savez("model.npz", …)';
const PICKLE = 'a pickle, and could run code when it is loaded';

const PYTORCH = `it is a file of torch.save, ${PICKLE}; ${FROM_PYTORCH}`;
const KERAS = `it is a model of Keras; ${FROM_KERAS}`;
const COMPRESSED = `it is compressed; decompress it, but if joblib wrote it, ${FROM_SKLEARN}`;

/** First bytes of files, as Latin-1. */
const STARTS: readonly (readonly [starts: readonly string[], defect: string])[] = [
  // The number 0x1950a86a20f9469cfc6c: torch.save starts a file with it that is not an archive.
  [['\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19'], PYTORCH],
  // Protocols 2 to 5, and protocol 0 as it writes objects.
  [
    ['\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05', 'ccopy_reg\n'],
    `it is ${PICKLE}; from scikit-learn, ${FROM_SKLEARN}; from PyTorch, ${FROM_PYTORCH}`,
  ],
  [['\x89HDF\r\n\x1a\n'], `it is an HDF5 file, as Keras writes; ${FROM_KERAS}`],
  // gzip, bzip2, xz and zlib: joblib writes all of them.
  [['\x1f\x8b', 'BZh', '\xfd7zXZ\0', '\x78\x01', '\x78\x5e', '\x78\x9c', '\x78\xda'], COMPRESSED],
  [['{', '['], 'it is JSON; export the model as safetensors, npz or ONNX instead'],
];

/** Patterns of the name of an entry. */
const ENTRIES: readonly (readonly [pattern: RegExp, defect: string])[] = [
  [
    /(?:^|\/)(?:constants\.pkl|code\/)/,
    `it is a TorchScript archive; ${FROM_PYTORCH}, where model is torch.jit.load("model.pt")`,
  ],
  [/(?:^|\/)data\.pkl$/, PYTORCH],
  [
    /^serialized_exported_program\.json$|\/models\/model\.json$/,
    `it is a file of torch.export.save; ${FROM_PYTORCH}`,
  ],
  [/^model\.weights\.h5$/, KERAS],
  [/\.(?:png|jpe?g|webp)$/i, 'it is an archive of images; upload images to train on with POST /v1/datasets'],
  [/(?:^|\/)saved_model\.pb$/, `it is a SavedModel of TensorFlow; ${FROM_KERAS}`],
];

/** Limit of the entries that are examined; a TorchScript archive lists the code of each module. */
const MAX_NAMES = 4096;

/** Attribute of scikit-learn's networks, an optional array of text in an .npz. The weights do not show it. */
export const SKLEARN_OUTPUT = 'out_activation_';
/** Holds the longest value in UTF-32. */
const MAX_OUTPUT_BYTES = 64;
export const ONE_CLASS = 'an image has exactly one class here';

/**
 * @param npy the array `out_activation_`: softmax, logistic for two classes or several labels, identity for a regression
 * @param outputs of the last layer
 * @throws AtelierError `invalid-model-file` unless it is the output of a classifier with one class for each image
 */
export function checkSklearnOutput(npy: Uint8Array, outputs: number): void {
  const text = Buffer.from(npy.subarray(-MAX_OUTPUT_BYTES)).toString('latin1').replaceAll('\0', '');
  // The header ends with a line feed.
  const output = text.slice(text.lastIndexOf('\n') + 1);
  if (output === (outputs === 1 ? 'logistic' : 'softmax')) return;
  const found = `its ${SKLEARN_OUTPUT} is ${quote(output)} with ${outputs} ${outputs === 1 ? 'output' : 'outputs'}`;
  if (output === 'logistic') rejectModelFile(`${found}, so it is a multilabel classifier; ${ONE_CLASS}`);
  if (output === 'identity')
    rejectModelFile(`${found}, so it is an MLPRegressor; only classifiers can be imported`);
  rejectModelFile(`${found}; expected softmax, or logistic with 1 output`);
}

/**
 * @param start the first bytes of the file, as Latin-1
 * @throws AtelierError `invalid-model-file` if the file has a known format that is not supported
 */
export function rejectForeignFile(start: string): void {
  const known = STARTS.find(([starts]) => starts.some((each) => start.startsWith(each)));
  if (known) rejectModelFile(known[1]);
}

/** @throws AtelierError `invalid-model-file` if the archive is a known one other than npz */
export function rejectForeignArchive(archive: Uint8Array): void {
  const names = entryNames(memorySource(archive, rejectModelFile), MAX_NAMES);
  const known = ENTRIES.find(([pattern]) => names.some((name) => pattern.test(name)));
  if (known) rejectModelFile(known[1]);
}
