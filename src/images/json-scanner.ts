/**
 * Scanner for the few JSON tokens in a body of images. JSON.parse would first build the whole document: it takes
 * gigabytes for 60 MB of "[[[[", and would report NaN without a JSON pointer.
 */
import { AtelierError } from '../errors.ts';
import { stringEnd } from '../formats/json/structure.ts';
import { describeOtherKind, identifyBody } from './other-kinds.ts';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const TYPES: Readonly<Record<string, string>> = {
  '"': 'a string',
  '{': 'an object',
  '[': 'an array',
  t: 'a boolean',
  f: 'a boolean',
  n: 'null',
};
// Imported constants would be loaded in the loop over the digits: bodies of whole numbers would take a fifth longer.
const SPACE = 0x20;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const CLOSE = 0x5d;
const PLUS = 0x2b;
const SLASH = 0x2f;
const E = 0x65;

export class JsonScanner {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (this.#bytes.toString('latin1', 0, 3) === '\xef\xbb\xbf') this.#position = 3;
  }

  /** The next character that is not white space, or '' at the end. */
  peek(): string {
    this.#skipSpace();
    return this.#text(this.#position, this.#position + 1);
  }

  /** Consumes the next character if it is this one, and returns whether it was. */
  take(character: string): boolean {
    this.#skipSpace();
    if (this.#bytes[this.#position] !== character.charCodeAt(0)) return false;
    this.#position++;
    return true;
  }

  /** Reads a number. Returns NaN (JSON cannot contain it) if the next token is not a number. */
  number(): number {
    this.#skipSpace();
    const bytes = this.#bytes;
    const start = this.#position;
    let end = start;
    let value = 0;
    let byte = bytes[end]!;
    while (byte >= ZERO && byte <= NINE && end - start < 3) {
      value = value * 10 + byte - ZERO;
      byte = bytes[++end]!;
    }
    // Fast path for nearly all pixels: one to three digits before "," or "]", without a leading zero.
    if ((byte === COMMA || byte === CLOSE) && (end === start + 1 || (end > start && bytes[start] !== ZERO))) {
      this.#position = end;
      return value;
    }
    while (isPartOfNumber(bytes[end]!)) end++;
    const text = this.#text(start, end);
    if (!NUMBER.test(text)) return Number.NaN;
    this.#position = end;
    return Number(text);
  }

  /** @param what names the string in errors */
  string(what: string): string {
    if (this.peek() !== '"') this.malformed(`${what} in double quotes`);
    const start = this.#position;
    const end = stringEnd(this.#bytes, start);
    try {
      const quoted = new TextDecoder('utf-8', { fatal: true }).decode(this.#bytes.subarray(start, end));
      const text: string = JSON.parse(quoted);
      this.#position = end;
      return text;
    } catch (cause) {
      throw new AtelierError(
        'malformed-body',
        `The body is not valid JSON in UTF-8: ${what} at byte ${start} is damaged.`,
        { cause },
      );
    }
  }

  /** The type of the next value; a number is consumed. @throws AtelierError `malformed-body` if no value follows */
  typeOfNext(expected: string): string {
    if (!Number.isNaN(this.number())) return 'a number';
    return TYPES[this.peek()] ?? this.malformed(expected);
  }

  malformed(expected: string): never {
    const file = this.#position === 0 ? identifyBody(this.#bytes) : undefined;
    // For text, the place of the defect is more helpful than the kind.
    if (file?.type !== undefined) throw new AtelierError('malformed-body', describeOtherKind(file, 'JSON'));
    const found =
      this.peek() === '' ? 'the end' : JSON.stringify(this.#text(this.#position, this.#position + 12));
    throw new AtelierError(
      'malformed-body',
      `The body is not valid JSON: expected ${expected} at byte ${this.#position}, but found ${found}.`,
    );
  }

  #text(start: number, end: number): string {
    return this.#bytes.toString('latin1', start, end);
  }

  #skipSpace(): void {
    let byte = this.#bytes[this.#position]!;
    while (byte <= SPACE && (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09)) {
      byte = this.#bytes[++this.#position]!;
    }
  }
}

/** Digits, "+", "-", ".", "E" and "e". NUMBER decides whether they form a number. */
const isPartOfNumber = (byte: number): boolean =>
  byte >= PLUS && byte <= NINE ? byte !== COMMA && byte !== SLASH : (byte | 0x20) === E;
