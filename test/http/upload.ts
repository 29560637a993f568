/** Uploads data sets as forms. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

/** Strings become fields, bytes become files. */
export type Form = Readonly<Record<string, string | Uint8Array>>;

export async function encodeForm(form: Form): Promise<{ payload: Buffer; headers: Record<string, string> }> {
  const data = new FormData();
  for (const [name, value] of Object.entries(form)) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([value as Uint8Array<ArrayBuffer>]), `${name}.bin`);
  }
  const encoded = new Response(data);
  return {
    payload: Buffer.from(await encoded.arrayBuffer()),
    headers: { 'content-type': encoded.headers.get('content-type')! },
  };
}

export async function upload(
  app: FastifyInstance,
  form: Form,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  const { payload, headers: own } = await encodeForm(form);
  return app.inject({ method: 'POST', url: '/v1/datasets', payload, headers: { ...own, ...headers } });
}

/** Names of the files in the data set folder. */
export function storedFiles(stateDir: string): Promise<string[]> {
  return readdir(join(stateDir, 'datasets'));
}
