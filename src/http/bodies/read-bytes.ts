/** Reads a body as bytes, without the copies and the garbage of Fastify's parser. */
import { IncomingMessage } from 'node:http';
import { errorCodes, type FastifyRequest } from 'fastify';
import { release } from '../../workers/threads/transfer.ts';

/** A smaller body arrives as one chunk, or few. */
const MIN_GATHERED_BYTES = 64 * 1024;

/** Takes over a body chunk by chunk, instead of a buffer that holds all of it. */
export interface Sink {
  write(chunk: Buffer): void;
  /** The body will not be complete. */
  abort(reason: unknown): void;
}

/** Returns a sink that has taken over the first chunk already, or undefined if the body must be read as a whole. */
export type OpenSink<S extends Sink = Sink> = (
  request: FastifyRequest,
  first: Buffer,
  length: number,
) => S | undefined;

type Done = (error: Error | null, body?: Buffer | Sink) => void;

/**
 * Creates a parser of content types. A body that arrives as one chunk is not copied. A large one of known length is
 * gathered in one buffer as it arrives, and each chunk is freed at once: otherwise V8 collects garbage for longer than the
 * 10,000 images of such a body take to predict.
 * @param limit size limit of a body
 * @param openSink called with the first chunk of a large body of known length; the sink then becomes the body
 */
export const createByteReader =
  (limit: number, openSink: OpenSink = () => undefined) =>
  (request: FastifyRequest, payload: FastifyRequest['raw'], done: Done): void => {
    const announced = Number(request.headers['content-length'] ?? Number.NaN);
    if (announced > limit) {
      done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
      return;
    }
    let sink: Sink | undefined;
    let gathered: Buffer | undefined;
    const chunks: Buffer[] = [];
    let received = 0;

    function onData(sent: Buffer): void {
      // Node copies what it reads from a connection; an injected request passes on the buffer of its caller.
      const chunk = payload instanceof IncomingMessage ? sent : Buffer.from(sent);
      const isFirst = received === 0;
      received += chunk.length;
      if (received > limit) {
        finish(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
        return;
      }
      if (isFirst && announced >= MIN_GATHERED_BYTES) {
        sink = openSink(request, chunk, announced);
        if (sink) return;
        gathered = Buffer.allocUnsafeSlow(announced);
      }
      if (sink) {
        sink.write(chunk);
      } else if (gathered === undefined) {
        chunks.push(chunk);
      } else {
        gathered.set(chunk, received - chunk.length);
        release([chunk]);
      }
    }

    function finish(error?: Error): void {
      payload.off('data', onData).off('end', finish).off('error', fail);
      const isWrong = announced >= 0 && received !== announced;
      const failure = error ?? (isWrong ? new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH() : null);
      if (failure) {
        sink?.abort(failure);
        done(failure);
        return;
      }
      done(null, sink ?? gathered ?? (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, received)));
    }

    /** The client has disconnected. */
    const fail = (error: Error) => finish(Object.assign(error, { statusCode: 400 }));

    payload.on('data', onData).on('end', finish).on('error', fail);
  };
