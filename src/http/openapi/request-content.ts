/** Request bodies that Fastify does not validate, as OpenAPI `content` by media type. */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { ARRAY_NAMES, datasetFieldsSchema } from '../../domain/datasets/upload-form.ts';
import { MAX_SIDE, MIN_SIDE } from '../../domain/image-shape.ts';
import { importRequestSchema } from '../../domain/models/import.ts';
import { PIXEL_SCALES, predictionRequestSchema } from '../../domain/predictions/job.ts';
import { ENCODED_IMAGE_TYPES, MAX_ENCODED_IMAGES } from '../../images/base64.ts';
import { DEFAULT_IMAGE_SHAPE, valueCount } from '../../numerics/network/image-shape.ts';

const binary = (description: string) => ({ type: 'string', format: 'binary', description });

const pixel = { type: 'number', minimum: 0, maximum: 255 };
const array = (items: object, minItems: number, maxItems: number) => ({
  type: 'array',
  items,
  minItems,
  maxItems,
});
const rows = (items: object) => array(array(items, MIN_SIDE, MAX_SIDE), MIN_SIDE, MAX_SIDE);
const image = {
  description:
    'An image of the `inputShape` of the model, from 0 (background) to 255: all numbers in one array, or rows of numbers, in colour rows of pixels of three numbers',
  oneOf: [array(pixel, MIN_SIDE ** 2, 3 * MAX_SIDE ** 2), rows(pixel), rows(array(pixel, 3, 3))],
};
const objectWith = (name: string, schema: object) => ({
  type: 'object',
  required: [name],
  properties: { [name]: schema },
  additionalProperties: false,
});
/** An image inside JSON. The images of a list are either all encoded or all numbers. */
const imageInJson = {
  oneOf: [
    image,
    {
      type: 'string',
      pattern: `^data:(${ENCODED_IMAGE_TYPES.join('|')});base64,`,
      description: 'An encoded image as a data URL; `fit` applies to it, `pixels` to numbers',
    },
    {
      ...objectWith('b64', { type: 'string', contentEncoding: 'base64' }),
      description: 'An encoded image in Base64',
    },
  ],
};
const encodedImage = {
  schema: binary(
    'One image of the size of the model, or of any size if the model has a `preprocessing` or with `fit`; alpha, and for a grey model colour, are converted',
  ),
};

/** Images for examples: a PNG in Base64, and numbers. */
const BLACK_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAEElEQVQoz2NgGAWjYBQQAwADLAABaLcA3AAAAABJRU5ErkJggg==';
export const BLACK_PIXELS: readonly number[] = new Array(valueCount(DEFAULT_IMAGE_SHAPE)).fill(0);

/** Images to predict or to explain. */
export const imageContent = {
  'application/json': {
    schema: {
      oneOf: [
        objectWith('image', imageInJson),
        objectWith('images', {
          type: 'array',
          items: imageInJson,
          minItems: 1,
          description: `Either numbers, or up to ${MAX_ENCODED_IMAGES.toLocaleString('en')} encoded images`,
        }),
      ],
      examples: [
        { image: `data:image/png;base64,${BLACK_PNG}` },
        { images: [{ b64: BLACK_PNG }] },
        { image: BLACK_PIXELS },
      ],
    },
  },
  'application/octet-stream': { schema: binary('One byte per value of an image, for one or more images') },
  'application/x-npy': {
    schema: binary(
      'Shape (height, width), (height, width, channels), (channels, height, width) or (values), or with a number of images before it; any integer or floating-point type, little-endian. Floats up to 1 are read as 0–1; a maximum slightly above 1 is rejected unless `pixels` states the range',
    ),
  },
  'image/png': encodedImage,
  'image/jpeg': encodedImage,
  'image/webp': encodedImage,
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['file'],
      properties: { file: { type: 'array', minItems: 1, items: { type: 'string', format: 'binary' } } },
      description:
        'One to 1,000 files of any of the other types, under any names; encoded images that are resized have at most four times `MAX_IMAGE_PIXELS` in total',
    },
  },
};

/** The page /docs fills in the first example, and an empty field counts as absent. */
const EMPTY = { examples: [''] };

/** The fields of a form, in which everything is text, from their descriptions and other metadata. */
function textFields({ shape }: z.ZodObject): object {
  const fields = Object.entries(shape).map(([name, schema]) => {
    const meta = (schema as z.ZodType).meta() ?? {};
    let inner: unknown = schema;
    while (inner instanceof z.ZodDefault || inner instanceof z.ZodNullable || inner instanceof z.ZodOptional)
      inner = inner.unwrap();
    // The page fills in the first name of a list.
    const options = inner instanceof z.ZodEnum ? { enum: ['', ...inner.options] } : {};
    const isFilled = 'enum' in options || 'default' in meta || 'examples' in meta;
    return [name, { type: 'string', ...options, ...meta, ...(!isFilled && EMPTY) }];
  });
  return Object.fromEntries(fields);
}

/** A model file to import. */
export const modelUploadContent = {
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['name', 'file'],
      properties: {
        ...textFields(importRequestSchema),
        name: { ...z.toJSONSchema(importRequestSchema.shape.name), examples: ['mine'] },
        file: binary(
          '.npz, safetensors, ONNX, or .npy of the packed vector; the format is detected from the content',
        ),
      },
      additionalProperties: false,
      examples: [{ name: 'mine', file: '(the bytes of sklearn.npz)', activation: 'relu' }],
    },
  },
};

/** The images of a prediction job: a data set, or a file. */
export const predictionJobContent = {
  'application/json': jsonContent(predictionRequestSchema, {
    model: 'fashion-mnist',
    dataset: 'fashion-mnist',
    split: 'test',
  }),
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['model', 'file'],
      properties: {
        model: {
          type: 'string',
          description: 'As in JSON: `name`, `name@3`, `name@alias`, or `{"name": …, "version": …}`',
          examples: ['fashion-mnist'],
        },
        pixels: {
          type: 'string',
          enum: ['', ...PIXEL_SCALES],
          description:
            'Range of the numbers. By default integers are 0–255, and floats 0–1 if none is greater than 1, else 0–255; a maximum just above 1 is rejected',
        },
        file: binary(
          '.npy of shape (n, height, width), (n, height, width, channels), (n, channels, height, width) or (n, values), any integer or floating-point type, little-endian; or .npz with one such array, or with one named `images`',
        ),
      },
      additionalProperties: false,
      examples: [{ model: 'fashion-mnist', file: 'the bytes of images.npy' }],
    },
  },
};

/** A gradient check with a gradient of the client, beside the JSON body without one. */
export const gradientCheckContent = {
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['gradient'],
      properties: {
        request: {
          type: 'string',
          contentMediaType: 'application/json',
          description: 'The JSON of a request without a gradient; {} by default',
          examples: ['{}'],
        },
        gradient: binary(
          '.npy of the packed vector in the order of the blocks of the report, each row by row; or .npz with one array for each block, under its name, in its shape or flat; float32 or float64',
        ),
      },
      additionalProperties: false,
      examples: [{ request: '{}', gradient: 'the bytes of gradient.npy' }],
    },
  },
};

/** JSON of the schema. */
export function jsonContent(schema: z.ZodType, example: unknown): object {
  const { $schema: _, ...shown } = z.toJSONSchema(schema, { io: 'input' });
  return { schema: { ...shown, examples: [example] } };
}

const IMAGES =
  'npy, IDX or IDX.gz of shape (n, height, width), (n, height, width, 1 or 3), (n, 1 or 3, height, width) or (n, values), 8 to 64 pixels a side. Integers are 0–255; floats are 0–1 if none is greater than 1, 0–255 if one is greater than 2, and rejected otherwise; they are rounded to the nearest whole number';
const LABELS = 'npy, IDX or IDX.gz of shape (n,) or (n, 1): integers from 0 without gaps';
const arrayNames = Object.values(ARRAY_NAMES).map(([name, keras]) => `${name} (or ${keras})`);

/** The files of a data set. */
export const datasetUploadContent = {
  'multipart/form-data': {
    schema: {
      type: 'object',
      description:
        'Either `file`, or the other files. The names of Keras are accepted too: x_train, y_train, x_val, y_val, x_test, y_test',
      properties: {
        file: binary(
          'A zip, tar or tar.gz of PNG, JPEG, WebP, GIF, TIFF or AVIF images in class folders, such as cat/1.png, also below or above train/ and test/, or beside a table of labels; CIFAR in its binary version; Parquet, or an archive of Parquet files; a CSV or TSV of pixels; or ' +
            `an npz with the arrays ${arrayNames.join(', ')}, each like the file of that name`,
        ),
        train: binary(
          'A table of one split: Parquet, or pixels as CSV or TSV, also compressed with gzip. Each row is an image, with a column of labels',
        ),
        val: binary('Like train: the validation split'),
        test: binary('Like train'),
        train_images: binary(IMAGES),
        train_labels: binary(LABELS),
        val_images: binary(
          'Like train_images, for a validation split; may be left out together with val_labels',
        ),
        val_labels: binary('Like train_labels'),
        test_images: binary(
          'Like train_images; may be left out together with test_labels if testFraction is given',
        ),
        test_labels: binary('Like train_labels'),
        ...textFields(datasetFieldsSchema),
      },
      examples: [{ name: 'Digits', classNames: '["zero", "one", "two"]', file: 'the bytes of digits.npz' }],
      additionalProperties: false,
    },
  },
};

/** Fastify sends a Buffer without serializing it, so the schema only documents and types the body. */
const binarySchema = z.string().meta({ format: 'binary' }) as unknown as z.ZodType<Buffer>;

export const binaryContent = { schema: binarySchema };
/** The same for a file that is sent as a stream. */
export const fileContent = binaryContent as unknown as { schema: z.ZodType<Readable> };
