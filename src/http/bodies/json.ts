/** JSON bodies of all routes except those that take images. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { findDuplicateKey } from '../../formats/json/duplicate-key.ts';
import { findLimitViolation } from '../../formats/json/limits.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** No schema nests deeper than five levels; the limit protects recursive code from a stack overflow. */
export const MAX_JSON_DEPTH = 32;
/** A gradient check may list 1,000 images; describing the errors of 100,000 values would take a second. */
export const MAX_JSON_VALUES = 10_000;
/** Longer field names are cut in error messages. */
const MAX_QUOTED_CHARS = 100;

/** Reads JSON from bytes. @throws AtelierError `malformed-body` */
export type ReadJson = (request: FastifyRequest, bytes: Buffer) => unknown;

/**
 * Wraps Fastify's parser. It rejects prototype keys, but accepts invalid UTF-8 and does not describe the error.
 * @param what names the JSON in messages
 */
export function createReadJson(app: FastifyInstance, what = 'body'): ReadJson {
  const parse = app.getDefaultJsonParser('error', 'error');
  return (request, bytes) => {
    const violation = findLimitViolation(bytes, { depth: MAX_JSON_DEPTH, values: MAX_JSON_VALUES });
    if (violation !== undefined) throw malformedJson(what, violation);
    const text = decode(bytes);
    if (text === undefined) throw malformedJson(what, 'it is not valid UTF-8');
    let isParsed = false;
    let parsed: unknown;
    void parse(request, text, (error, value) => {
      isParsed = !error;
      parsed = value;
    });
    if (!isParsed) throw malformedJson(what, describeDefect(text));
    const repeated = findDuplicateKey(bytes);
    if (repeated === undefined) return parsed;
    const name = JSON.stringify(repeated.slice(0, MAX_QUOTED_CHARS));
    throw malformedJson(what, `the field ${name} is given twice in one object`);
  };
}

export function registerJsonBody(app: FastifyInstance): void {
  const read = createReadJson(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    // Clients send the Content-Type even with an empty body.
    if (bytes.length === 0) return done(null, undefined);
    let value: unknown;
    try {
      value = read(request, bytes);
    } catch (error) {
      return done(error as Error);
    }
    done(null, value);
  });
}

function decode(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function describeDefect(text: string): string {
  try {
    JSON.parse(text);
    return 'a field is named __proto__, or constructor with a prototype';
  } catch (error) {
    return (error as SyntaxError).message;
  }
}

function malformedJson(what: string, defect: string): AtelierError {
  return new AtelierError('malformed-body', `The ${what} cannot be read as JSON: ${defect}.`);
}
