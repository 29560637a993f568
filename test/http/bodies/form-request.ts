/** Requests with a form, as their readers see them, without a service. */
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';

export interface Part {
  readonly name?: string;
  /** Makes the part a file, also if it is empty. */
  readonly filename?: string;
  readonly type?: string;
  readonly content: string | Uint8Array;
}

export function encodeParts(parts: readonly Part[]): Buffer {
  const encoded = parts.map(({ name, filename, type, content }) => {
    const names = [
      name !== undefined && `; name="${name}"`,
      filename !== undefined && `; filename="${filename}"`,
    ];
    const disposition = `Content-Disposition: form-data${names.filter(Boolean).join('')}\r\n`;
    const declared = type === undefined ? '' : `Content-Type: ${type}\r\n`;
    const head = `--b\r\n${disposition}${declared}\r\n`;
    return Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n')]);
  });
  return Buffer.concat([...encoded, Buffer.from('--b--\r\n')]);
}

export const FORM_TYPE = 'multipart/form-data; boundary=b';

/** @param headers in addition to the content type */
export function formRequest(body: Buffer | readonly Part[], headers: object = {}): FastifyRequest {
  const raw = Readable.from([Buffer.isBuffer(body) ? body : encodeParts(body)]);
  return { raw, body: raw, headers: { 'content-type': FORM_TYPE, ...headers } } as unknown as FastifyRequest;
}
