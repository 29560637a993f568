/** The trace of a request: the header `traceparent` of W3C Trace Context, https://www.w3.org/TR/trace-context. */
import type { FastifyRequest } from 'fastify';

/**
 * Version 00 ends after the flags. Later versions may go on after another dash; what follows is ignored, as is the whole
 * header for the version ff, and for an id of zeros only.
 */
const TRACEPARENT =
  /^(?:00(?=.{53}$)|(?!00|ff)[0-9a-f]{2})(-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?:-.*)?$/;

/** @returns the header as of version 00; undefined if it is missing or invalid, as with several of them */
export function readTraceparent({ traceparent }: FastifyRequest['headers']): string | undefined {
  if (traceparent === undefined) return undefined;
  const [, fields] = TRACEPARENT.exec(String(traceparent)) ?? [];
  return fields && `00${fields}`;
}
