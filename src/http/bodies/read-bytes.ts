/** Reads a body as bytes, without the copies and the garbage of Fastify's parser. */
import { errorCodes, type FastifyRequest } from 'fastify';
import { release } from '../../workers/transfer.ts';
import { IncomingMessage } from '../node-http.ts';

/** A smaller body arrives as one chunk, or few. */
const MIN_GATHERED_BYTES = 64 * 1024;

type Done = (error: Error | null, body?: Buffer) => void;

/**
 * Creates a parser of content types. A body that arrives as one chunk is not copied. A large one of known length is
 * gathered in one buffer as it arrives, and each chunk is freed at once: otherwise V8 collects garbage for longer than the
 * 10,000 images of such a body take to predict.
 * @param limit size limit of a body
 */
export const createByteReader =
  (limit: number) =>
  ({ headers }: FastifyRequest, payload: FastifyRequest['raw'], done: Done): void => {
    const announced = Number(headers['content-length'] ?? Number.NaN);
    if (announced > limit) {
      done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
      return;
    }
    const gathered = announced >= MIN_GATHERED_BYTES ? Buffer.allocUnsafeSlow(announced) : undefined;
    const chunks: Buffer[] = [];
    let received = 0;

    function onData(sent: Buffer): void {
      // Node copies what it reads from a connection; an injected request passes on the buffer of its caller.
      const chunk = payload instanceof IncomingMessage ? sent : Buffer.from(sent);
      received += chunk.length;
      if (received > limit) {
        finish(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
      } else if (gathered === undefined) {
        chunks.push(chunk);
      } else {
        gathered.set(chunk, received - chunk.length);
        release([chunk]);
      }
    }

    function finish(error?: Error): void {
      payload.off('data', onData).off('end', finish).off('error', fail);
      if (error !== undefined) done(error);
      else if (announced >= 0 && received !== announced) {
        done(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH());
      } else done(null, gathered ?? (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, received)));
    }

    /** The client has disconnected. */
    const fail = (error: Error) => finish(Object.assign(error, { statusCode: 400 }));

    payload.on('data', onData).on('end', finish).on('error', fail);
  };
