/** The fields of the form that uploads a data set, by where the images come from. */

export type Source = 'folder' | 'archive' | 'arrays';

export interface UploadField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Values of a list; the first one is the default of the service. Without it, a folder, a file or a text. */
  readonly options?: readonly string[];
  readonly isRequired?: true;
  readonly isFolder?: true;
  /** Shown in an empty text field: the default of the service. */
  readonly placeholder?: string;
  /** Endings and media types of the files to choose from. */
  readonly accept?: string;
}

const IMAGES = 'PNG, JPEG, WebP, GIF, TIFF or AVIF images';
/** The files of MNIST have the endings of IDX, or none. */
const ARRAY = '.npy,.gz,.idx1-ubyte,.idx3-ubyte,application/octet-stream';

export const SOURCES: Readonly<Record<Source, string>> = {
  archive: 'One archive',
  folder: 'A folder',
  arrays: 'Arrays',
};

export const FILES: Readonly<Record<Source, readonly UploadField[]>> = {
  folder: [
    {
      name: 'file',
      label: 'Folder',
      hint: `A folder of class folders with ${IMAGES}, such as cat/1.png, also below train/, val/ and test/. It can be dropped here.`,
      isFolder: true,
    },
  ],
  archive: [
    {
      name: 'file',
      label: 'Archive',
      hint: `A zip or tar.gz of ${IMAGES} in class folders, such as cat/1.png, also below train/, val/ and test/, or beside a table of labels; an npz; or pixels as CSV or Parquet. It can be dropped here, as can a folder.`,
      accept: '.zip,.tar,.tgz,.gz,.npz,.csv,.tsv,.parquet',
      isRequired: true,
    },
  ],
  arrays: [
    {
      name: 'train_images',
      label: 'Training images',
      hint: 'npy or IDX, n × height × width, in colour × 3',
      accept: ARRAY,
      isRequired: true,
    },
    {
      name: 'train_labels',
      label: 'Training labels',
      hint: 'npy or IDX, n',
      accept: ARRAY,
      isRequired: true,
    },
    { name: 'val_images', label: 'Validation images', hint: 'Optional', accept: ARRAY },
    { name: 'val_labels', label: 'Validation labels', hint: 'Optional', accept: ARRAY },
    { name: 'test_images', label: 'Test images', hint: 'Empty with a test fraction', accept: ARRAY },
    { name: 'test_labels', label: 'Test labels', hint: 'Empty with a test fraction', accept: ARRAY },
  ],
};

export const IMAGE_OPTIONS: readonly UploadField[] = [
  {
    name: 'labels',
    label: 'Classes from',
    hint: 'auto: class folders, or else a CSV or TSV beside the images. filename: the text before the number, as in dog_0.png. fine and coarse: of CIFAR-100.',
    options: ['auto', 'filename', 'table', 'fine', 'coarse'],
  },
  {
    name: 'damaged',
    label: 'Damaged images',
    hint: 'skip leaves out images that cannot be decoded, up to half of a class.',
    options: ['reject', 'skip'],
  },
  {
    name: 'fileColumn',
    label: 'Column of files',
    hint: 'Of the table, unless it is named like file, image or id',
  },
  {
    name: 'labelColumn',
    label: 'Column of classes',
    hint: 'Of the table, unless it is named like label or class',
  },
  {
    name: 'splitColumn',
    label: 'Column of splits',
    hint: 'Of the table, with train, val or test, unless it is named split',
  },
  {
    name: 'fit',
    label: 'Fit',
    hint: 'contain shows the whole image, cover its middle, stretch ignores its proportions.',
    options: ['contain', 'cover', 'stretch'],
  },
  {
    name: 'background',
    label: 'Background',
    hint: 'Around the image; auto is the grey or colour of its border.',
    options: ['auto', 'black', 'white'],
  },
  {
    name: 'invert',
    label: 'Invert',
    hint: 'auto inverts if most images have a light border.',
    options: ['auto', 'never', 'always'],
  },
];

export const COMMON: readonly UploadField[] = [
  { name: 'name', label: 'Name', hint: 'Optional' },
  {
    name: 'imageShape',
    label: 'Image shape',
    hint: 'auto: the shape of the arrays, or chosen from the images and explained in the report. Else rows, columns and, in colour, 3, such as 32×32×3.',
    placeholder: 'auto',
  },
  { name: 'classNames', label: 'Class names', hint: 'Optional, in the order of the labels: zero,one,two' },
  { name: 'testFraction', label: 'Test fraction', hint: '0.05 to 0.5, if there are no test images' },
  { name: 'seed', label: 'Seed', hint: 'Of the choice of the test images; 0 by default' },
];
