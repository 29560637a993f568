/** Byte ranges of files, to resume a download: RFC 9110, section 14. */
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { combineRanges, parse, type Range } from 'range-parser';
import { z } from 'zod';
import { AtelierError } from '../../errors.ts';
import { entityTagsSchema } from './entity-tags.ts';
import { isFresh } from './etag.ts';

export const rangeHeaders = z.object({
  range: z
    .string()
    .optional()
    .describe(
      'One range of bytes, as in `bytes=1000-`. Several ranges, and other units, give the whole file',
    ),
  'if-match': entityTagsSchema.describe(
    'ETag of the file that you expect. If it is another one, nothing is sent and the response is 412',
  ),
  'if-range': z
    .string()
    .optional()
    .describe('ETag of the part that you have. If the file is another one, the response is the whole file'),
});

export interface RangedFile {
  /** In bytes. */
  readonly size: number;
  /** @param range positions of the first and the last byte */
  read(range: Range): Buffer | Readable;
}

/**
 * Sends the file, the range that the request selects, or 304.
 * @param tag strong ETag
 * @param open called unless the client has the file; may set further headers
 * @throws AtelierError `range-not-satisfiable`, `precondition-failed`
 */
export async function sendRanged(
  request: FastifyRequest,
  reply: FastifyReply,
  tag: string,
  open: () => RangedFile | Promise<RangedFile>,
): Promise<FastifyReply> {
  if (isFresh(request, tag)) return reply.header('etag', tag).code(304).send();
  const { size, read } = await open();
  const selected = selectRange(request, reply, size, tag);
  const { start, end } = selected ?? { start: 0, end: size - 1 };
  reply.headers({ etag: tag, 'accept-ranges': 'bytes', 'content-length': end - start + 1 });
  if (selected) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
  return reply.send(read({ start, end }));
}

/** @returns undefined for the whole file */
function selectRange(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  size: number,
  tag: string,
): Range | undefined {
  const { range, 'if-range': ifRange } = headers;
  // If-Range compares strongly; a date never matches, because there is no Last-Modified.
  if (range === undefined || method !== 'GET' || (ifRange !== undefined && ifRange !== tag)) return undefined;
  const { type, code, ranges } = parse(size, range);
  const isMalformed = (code & 1) !== 0;
  if (type !== 'bytes' || isMalformed) return undefined;
  if (ranges.length === 0) {
    reply.header('content-range', `bytes */${size}`);
    throw new AtelierError(
      'range-not-satisfiable',
      `Range: ${range} selects nothing: the file has ${size} bytes. Send a range that begins before its end.`,
      { details: [{ parameter: 'Range', detail: `Must begin before byte ${size}.` }] },
    );
  }
  const [first, ...others] = combineRanges(ranges);
  return others.length === 0 ? first : undefined;
}
