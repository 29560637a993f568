/** The form of an uploaded data set. It is read by our own code; this is how the contract shows it. */
import { MAX_CLASSES, MIN_CLASSES } from '../../domain/dataset.ts';
import { ARRAY_NAMES } from '../../domain/dataset-upload.ts';

const file = (description: string) => ({ type: 'string', format: 'binary', description });
const IMAGES =
  'npy, IDX or IDX.gz of shape (n, 28, 28), (n, 784) or (n, 28, 28, 1). Integers are 0–255; floats are 0–1 where none is greater than 1, 0–255 where one is greater than 2, and else refused; they are rounded to the nearest of 256 greys';
const LABELS = 'npy, IDX or IDX.gz of shape (n,) or (n, 1): whole numbers from 0 without gaps';
const names = Object.values(ARRAY_NAMES).map(([name, keras]) => `${name} (or ${keras})`);

/** By content type, as OpenAPI's `requestBody.content`. */
export const datasetUploadContent = {
  'multipart/form-data': {
    schema: {
      type: 'object',
      description: `Either \`file\`, or the other files. Keras’s names x_train, y_train, x_test, y_test are taken as well`,
      properties: {
        file: file(`An npz with the arrays ${names.join(', ')}; each as the file of that name`),
        train_images: file(IMAGES),
        train_labels: file(LABELS),
        test_images: file(
          'As train_images; may be left out together with test_labels, where testFraction is given',
        ),
        test_labels: file('As train_labels'),
        name: {
          type: 'string',
          minLength: 1,
          maxLength: 100,
          description: 'What it is called; need not be its own',
        },
        classNames: {
          type: 'string',
          description: `JSON: an array of ${MIN_CLASSES} to ${MAX_CLASSES} different names, in the order of the labels, whose spaces at the ends are cut. Without it they are "0", "1", … to the highest label`,
          examples: ['["zero", "one", "two"]'],
        },
        testFraction: {
          type: 'string',
          description:
            'A number from 0.05 to 0.5, where no test images are sent: that share of every class is held out',
          examples: ['0.2'],
        },
        seed: {
          type: 'string',
          description: 'Of the choice of what is held out: a whole number up to 2³² − 1',
          default: '0',
        },
      },
      examples: [{ name: 'Digits', classNames: '["zero", "one", "two"]', file: 'the bytes of digits.npz' }],
      additionalProperties: false,
    },
  },
};
