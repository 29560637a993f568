/** Decodes images that are numbers in JSON, in one pass over the bytes. */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../domain/datasets/representation.ts';
import { AtelierError } from '../errors.ts';
import { rejectAt } from '../formats/json/limits.ts';
import { FLOAT32_ROUNDING, type ImageBatch, type PixelOptions, toBatch, unitToByteScale } from './batch.ts';
import { readElements, readImages, rejectType } from './json-body.ts';
import { JsonScanner } from './json-scanner.ts';

const IMAGE_SHAPE = 'an image must be an array of 784 numbers, or of 28 rows of 28';

/**
 * Each image is 784 numbers or 28 rows of 28, from 0 to 255 unless `pixels` is 0–1.
 * @throws AtelierError at the first defect: `malformed-body`, `invalid-request`, `invalid-image-size`,
 *   `invalid-pixels`, `ambiguous-pixel-range`
 */
export function decodeJson(bytes: Uint8Array, options: PixelOptions = {}): ImageBatch {
  return new JsonImages(bytes, options).read();
}

class JsonImages {
  readonly #scanner: JsonScanner;
  readonly #options: PixelOptions;
  readonly #isUnitScale: boolean;
  #pixels = new Float32Array(IMAGE_PIXELS);
  #length = 0;
  #maximum = 0;
  #fractional = false;

  constructor(bytes: Uint8Array, options: PixelOptions) {
    this.#scanner = new JsonScanner(bytes);
    this.#options = options;
    this.#isUnitScale = options.pixels === '0-1';
  }

  read(): ImageBatch {
    readImages(this.#scanner, (pointer) => this.#image(pointer));
    this.#rejectAmbiguousScale();
    return toBatch(this.#pixels.subarray(0, this.#length));
  }

  #image(pointer: string): void {
    if (!this.#scanner.take('[')) rejectOther(this.#scanner, pointer);
    if (this.#scanner.peek() === '[') this.#rows(pointer);
    else this.#numbers(pointer, IMAGE_PIXELS);
  }

  #rows(pointer: string): void {
    const count = readElements(this.#scanner, pointer, (row) => {
      if (!this.#scanner.take('[')) rejectType(this.#scanner, row, 'a row must be an array of 28 numbers');
      this.#numbers(row, IMAGE_SIDE);
    });
    if (count !== IMAGE_SIDE) rejectAt(pointer, `has ${count} rows; ${IMAGE_SHAPE}`, 'invalid-image-size');
  }

  /** The inner loop over all pixels. JSON pointers are built only for errors. */
  #numbers(pointer: string, expected: number): void {
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
    const what = expected === IMAGE_SIDE ? 'a row must have 28' : IMAGE_SHAPE;
    rejectAt(pointer, `has ${count} numbers; ${what}`, 'invalid-image-size');
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
    if (this.#options.pixels !== undefined || !this.#fractional || this.#maximum > 2) return;
    const clip = this.#maximum > 1 ? ', clipped to 1' : '';
    const detail = `set ?pixels=0-1 for pixels from 0 to 1${clip}, or ?pixels=0-255`;
    throw new AtelierError(
      'ambiguous-pixel-range',
      `The pixels are fractions not greater than ${Math.ceil(this.#maximum)}, but JSON pixels range from 0 to 255; ${detail}.`,
      { details: [{ parameter: 'pixels', detail }] },
    );
  }
}

function rejectOther(scanner: JsonScanner, pointer: string): never {
  const isEncoded = '{"'.includes(scanner.peek() || '[');
  return rejectType(
    scanner,
    pointer,
    isEncoded ? `${IMAGE_SHAPE}, or all images must be encoded` : IMAGE_SHAPE,
  );
}
