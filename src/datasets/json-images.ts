/** Decodes `{ "image": … }` or `{ "images": […] }` in one pass over the bytes. */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../domain/dataset.ts';
import { AtelierError, type ErrorCode } from '../errors.ts';
import {
  FLOAT32_ROUNDING,
  type ImageBatch,
  type PixelOptions,
  toBatch,
  unitToByteScale,
} from './image-batch.ts';
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
    const scanner = this.#scanner;
    const needed = 'the body must be { "image": … } or { "images": […] }';
    if (!scanner.take('{')) this.#wrongType('#', needed);
    if (scanner.take('}')) reject('invalid-request', '#', `is empty; ${needed}`);
    const field = this.#field();
    if (field === 'images') this.#images();
    else this.#image('#/image');
    if (scanner.take(',')) {
      reject(
        'invalid-request',
        `#/${this.#field()}`,
        'is an unexpected second field; send either image or images',
      );
    }
    if (!scanner.take('}')) scanner.malformed('"}"');
    if (scanner.peek() !== '') scanner.malformed('the end');
    this.#rejectAmbiguousScale();
    return toBatch(this.#pixels.subarray(0, this.#length));
  }

  #field(): string {
    const key = this.#scanner.key();
    if (key === '__proto__')
      throw new AtelierError('malformed-body', 'The body has a field named __proto__, which is not allowed.');
    if (key !== 'image' && key !== 'images') {
      const name = key.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
      reject('invalid-request', `#/${name}`, 'is an unknown field; the fields are image and images');
    }
    if (!this.#scanner.take(':')) this.#scanner.malformed('":"');
    return key;
  }

  #images(): void {
    if (!this.#scanner.take('[')) this.#wrongType('#/images', 'images must be an array of images');
    const count = this.#elements('#/images', (image) => this.#image(image));
    if (count === 0) reject('invalid-request', '#/images', 'is empty; send at least one image');
  }

  #image(pointer: string): void {
    if (!this.#scanner.take('[')) this.#wrongType(pointer, IMAGE_SHAPE);
    if (this.#scanner.peek() === '[') this.#rows(pointer);
    else this.#numbers(pointer, IMAGE_PIXELS);
  }

  #rows(pointer: string): void {
    const count = this.#elements(pointer, (row) => {
      if (!this.#scanner.take('[')) this.#wrongType(row, 'a row must be an array of 28 numbers');
      this.#numbers(row, IMAGE_SIDE);
    });
    if (count !== IMAGE_SIDE) reject('invalid-image-size', pointer, `has ${count} rows; ${IMAGE_SHAPE}`);
  }

  /** Reads elements up to the closing bracket; the opening one has been read. */
  #elements(pointer: string, readElement: (pointer: string) => void): number {
    const scanner = this.#scanner;
    let count = 0;
    if (scanner.take(']')) return count;
    do readElement(`${pointer}/${count++}`);
    while (scanner.take(','));
    if (!scanner.take(']')) scanner.malformed('"," or "]"');
    return count;
  }

  /** The inner loop over all pixels. JSON pointers are built only for errors. */
  #numbers(pointer: string, expected: number): void {
    const scanner = this.#scanner;
    let count = 0;
    if (!scanner.take(']')) {
      do {
        const value = scanner.number();
        if (Number.isNaN(value)) this.#wrongType(`${pointer}/${count}`, 'a pixel must be a number');
        // Excess numbers are counted for the error message.
        if (count < expected) this.#pixel(value, pointer, count);
        count++;
      } while (scanner.take(','));
      if (!scanner.take(']')) scanner.malformed('"," or "]"');
    }
    if (count === expected) return;
    const what = expected === IMAGE_SIDE ? 'a row must have 28' : IMAGE_SHAPE;
    reject('invalid-image-size', pointer, `has ${count} numbers; ${what}`);
  }

  #pixel(value: number, pointer: string, index: number): void {
    if (!(value >= 0 && value <= (this.#isUnitScale ? 1 : 255))) {
      const allowed = this.#isUnitScale
        ? 'with ?pixels=0-1 pixels must be 0 to 1'
        : 'pixels must be 0 to 255';
      reject('invalid-pixels', `${pointer}/${index}`, `is ${value}; ${allowed}`);
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

  #wrongType(pointer: string, needed: string): never {
    return reject(
      'invalid-request',
      pointer,
      `is ${this.#scanner.typeOfNext(`a value for ${pointer}`)}; ${needed}`,
    );
  }
}

function reject(code: ErrorCode, pointer: string, detail: string): never {
  throw new AtelierError(code, `${pointer} ${detail}.`, { details: [{ pointer, detail }] });
}
