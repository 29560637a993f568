/** JSON bodies, for all routes but those of images. */
import type { FastifyInstance } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { findDuplicateKey } from '../../formats/duplicate-key.ts';
import { findLimitViolation } from '../../formats/json-limits.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Nothing that is taken here nests deeper than five. What goes through it step by step need not fear for its stack. */
export const MAX_DEPTH = 32;
/** A gradient check may name 1,000 images. To say of a hundred thousand values what is wrong with each takes a second. */
export const MAX_VALUES = 10_000;
/** Characters of a field that are said again. */
const MAX_QUOTED_CHARS = 100;

/** Fastify's parser, which refuses prototype keys, but which takes wrong UTF-8 and does not say what is wrong. */
export function registerJsonBody(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    // Clients name the type where there is nothing to send too.
    if (bytes.length === 0) return done(null, undefined);
    const excess = findLimitViolation(bytes, { depth: MAX_DEPTH, values: MAX_VALUES });
    if (excess !== undefined) return done(malformed(excess));
    const text = decode(bytes);
    if (text === undefined) return done(malformed('it is not UTF-8'));
    parse(request, text, (error, value) => {
      if (error) return done(malformed(describeDefect(text)));
      const repeated = findDuplicateKey(text);
      if (repeated === undefined) return done(null, value);
      done(
        malformed(
          `the field ${JSON.stringify(repeated.slice(0, MAX_QUOTED_CHARS))} is given twice in one object`,
        ),
      );
    });
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

function malformed(defect: string): AtelierError {
  return new AtelierError('malformed-body', `The body cannot be read as JSON: ${defect}.`);
}
