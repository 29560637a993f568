/** Request bodies that hold images. They are decoded by our own code; this is how the contract shows them. */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../../domain/dataset.ts';

const pixel = { type: 'number', minimum: 0, maximum: 255 };
const row = { type: 'array', items: pixel, minItems: IMAGE_SIDE, maxItems: IMAGE_SIDE };
const image = {
  description: '784 numbers or 28 rows of 28, from 0 (background) to 255',
  oneOf: [
    { type: 'array', items: pixel, minItems: IMAGE_PIXELS, maxItems: IMAGE_PIXELS },
    { type: 'array', items: row, minItems: IMAGE_SIDE, maxItems: IMAGE_SIDE },
  ],
};
const objectWith = (name: string, schema: object) => ({
  type: 'object',
  required: [name],
  properties: { [name]: schema },
  additionalProperties: false,
});
const binary = (description: string) => ({ schema: { type: 'string', format: 'binary', description } });
const encodedImage = binary(
  'One picture of 28×28, or of any size with `fit=contain`; colour and alpha are turned to grey',
);

/** By content type, as OpenAPI's `requestBody.content`. */
export const imageContent = {
  'application/json': {
    schema: {
      oneOf: [objectWith('image', image), objectWith('images', { type: 'array', items: image, minItems: 1 })],
      examples: [{ image: new Array(IMAGE_PIXELS).fill(0) }],
    },
  },
  'application/octet-stream': binary('n × 784 bytes, n ≥ 1'),
  'application/x-npy': binary(
    'Shape (28, 28), (784), (n, 28, 28) or (n, 784); any integer or floating type, little-endian. Floats up to 1 are taken as 0–1; a greatest just above 1 is refused, unless `pixels` says what they are',
  ),
  'image/png': encodedImage,
  'image/jpeg': encodedImage,
  'image/webp': encodedImage,
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['file'],
      properties: { file: { type: 'array', minItems: 1, items: { type: 'string', format: 'binary' } } },
      description:
        'One to 1,000 files of any of the other types, under any names; with `fit=contain` the pictures have at most 100 million pixels in all',
    },
  },
};
