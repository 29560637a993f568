/** Decodes images that are numbers in JSON, in one pass over the bytes. */
import { showImageShape } from '../domain/image-shape.ts';
import { AtelierError } from '../errors.ts';
import { rejectAt } from '../formats/json/limits.ts';
import { channelCount, type ImageShape, valueCount } from '../numerics/network/image-shape.ts';
import { compact, FLOAT32_ROUNDING, type ImageBatch, unitToByteScale } from './batch.ts';
import { readElements, readImages, rejectType } from './json-body.ts';
import { JsonScanner } from './json-scanner.ts';
import { type PixelOptions, rangeOf } from './pixel-range.ts';

/** "an image must be an array of 784 numbers, or of 28 rows of 28" */
function describeImage(image: ImageShape): string {
  const [height, width] = image;
  const row = image.length === 3 ? `${width} pixels of ${image[2]} numbers` : width;
  return `an image must be an array of ${valueCount(image)} numbers, or of ${height} rows of ${row}`;
}

const sinceModelTakes = (image: ImageShape) => `since the model takes images of ${showImageShape(image)}`;
const describeRow = (image: ImageShape) => `a row must have ${image[1]}, ${sinceModelTakes(image)}`;

/**
 * Each image is flat, or rows of numbers, or rows of pixels with one number per channel; from 0 to 255 unless `pixels` is 0–1.
 * @throws AtelierError at the first defect: `malformed-body`, `invalid-request`, `invalid-image-size`,
 *   `invalid-pixels`, `ambiguous-pixel-range`
 */
export function decodeJson(bytes: Uint8Array, image: ImageShape, options: PixelOptions = {}): ImageBatch {
  return new JsonImages(bytes, image, options).read();
}

class JsonImages {
  readonly #scanner: JsonScanner;
  readonly #shape: ImageShape;
  readonly #values: number;
  readonly #options: PixelOptions;
  readonly #isUnitScale: boolean;
  #pixels: Float32Array;
  #length = 0;
  #maximum = 0;
  #fractional = false;

  constructor(bytes: Uint8Array, shape: ImageShape, options: PixelOptions) {
    this.#shape = shape;
    this.#values = valueCount(shape);
    this.#pixels = new Float32Array(this.#values);
    this.#scanner = new JsonScanner(bytes);
    this.#options = options;
    this.#isUnitScale = options.pixels === '0-1';
  }

  read(): ImageBatch {
    readImages(this.#scanner, (pointer) => this.#image(pointer));
    this.#rejectAmbiguousScale();
    return { count: this.#length / this.#values, pixels: compact(this.#pixels.subarray(0, this.#length)) };
  }

  #image(pointer: string): void {
    if (!this.#scanner.take('[')) rejectOther(this.#scanner, pointer, this.#shape);
    if (this.#scanner.peek() === '[') this.#rows(pointer);
    else this.#numbers(pointer, this.#values, describeImage);
  }

  #rows(pointer: string): void {
    const [height, width] = this.#shape;
    const channels = channelCount(this.#shape);
    const rowOf = channels === 1 ? `${width} numbers` : `${width} pixels of ${channels} numbers`;
    const count = readElements(this.#scanner, pointer, (row) => {
      if (!this.#scanner.take('[')) rejectType(this.#scanner, row, `a row must be an array of ${rowOf}`);
      if (channels === 1) this.#numbers(row, width, describeRow);
      else this.#pixelsOfRow(row, width, channels);
    });
    if (count !== height)
      rejectAt(pointer, `has ${count} rows; ${describeImage(this.#shape)}`, 'invalid-image-size');
  }

  /** A row of pixels, each an array of one number per channel. */
  #pixelsOfRow(row: string, width: number, channels: number): void {
    const describePixel = (image: ImageShape) => `a pixel must have ${channels}, ${sinceModelTakes(image)}`;
    const count = readElements(this.#scanner, row, (pixel) => {
      if (!this.#scanner.take('[')) {
        const found = this.#scanner.typeOfNext(`a value for ${pixel}`);
        const needed = `a pixel must be an array of ${channels} numbers, ${sinceModelTakes(this.#shape)}`;
        rejectAt(pixel, `is ${found}; ${needed}`, 'invalid-image-size');
      }
      this.#numbers(pixel, channels, describePixel);
    });
    if (count !== width)
      rejectAt(row, `has ${count} pixels; ${describeRow(this.#shape)}`, 'invalid-image-size');
  }

  /** The inner loop over all pixels. JSON pointers are built only for errors. */
  #numbers(pointer: string, expected: number, describe: (shape: ImageShape) => string): void {
    const scanner = this.#scanner;
    let count = 0;
    if (!scanner.take(']')) {
      do {
        const value = scanner.number();
        if (Number.isNaN(value)) rejectType(scanner, `${pointer}/${count}`, 'a pixel must be a number');
        // Excess numbers are counted for the error message.
        if (count < expected) this.#pixel(value, pointer, count);
        count++;
      } while (scanner.take(','));
      if (!scanner.take(']')) scanner.malformed('"," or "]"');
    }
    if (count === expected) return;
    rejectAt(pointer, `has ${count} numbers; ${describe(this.#shape)}`, 'invalid-image-size');
  }

  #pixel(value: number, pointer: string, index: number): void {
    if (!(value >= 0 && value <= (this.#isUnitScale ? 1 : 255))) {
      const allowed = this.#isUnitScale
        ? 'with ?pixels=0-1 pixels must be 0 to 1'
        : 'pixels must be 0 to 255';
      rejectAt(`${pointer}/${index}`, `is ${value}; ${allowed}`, 'invalid-pixels');
    }
    if (value > this.#maximum) this.#maximum = value;
    if (!Number.isInteger(value)) this.#fractional = true;
    if (this.#length === this.#pixels.length) {
      const grown = new Float32Array(this.#length * 2);
      grown.set(this.#pixels);
      this.#pixels = grown;
    }
    this.#pixels[this.#length++] = this.#isUnitScale ? unitToByteScale(value, FLOAT32_ROUNDING) : value;
  }

  #rejectAmbiguousScale(): void {
    if (this.#options.pixels !== undefined || !this.#fractional) return;
    const reject = (defect: string, clipped = ''): never => {
      const detail = `set ?pixels=0-1 for pixels from 0 to 1${clipped}, or ?pixels=0-255`;
      const details = [{ parameter: 'pixels', detail }];
      throw new AtelierError('ambiguous-pixel-range', `The ${defect}; ${detail}.`, { details });
    };
    const range = rangeOf(this.#maximum, (defect) => reject(defect, ', clipped to 1'));
    if (range === '0-1')
      reject('pixels are fractions not greater than 1, but JSON pixels range from 0 to 255');
  }
}

function rejectOther(scanner: JsonScanner, pointer: string, shape: ImageShape): never {
  const isEncoded = '{"'.includes(scanner.peek() || '[');
  return rejectType(
    scanner,
    pointer,
    `${describeImage(shape)}${isEncoded ? ', or all images must be encoded' : ''}`,
  );
}
