/** Imports model files over HTTP. */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

/** Encodes a form with text fields and the file under the name `file`. */
export async function formBody(
  bytes: Uint8Array | null,
  fields: Readonly<Record<string, string>>,
  fileName = 'model.bin',
): ReturnType<typeof encodeForm> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (bytes !== null) form.append('file', new Blob([Buffer.from(bytes)]), fileName);
  return encodeForm(form);
}

export async function encodeForm(
  form: FormData,
): Promise<{ headers: { 'content-type': string }; payload: Buffer }> {
  const request = new Response(form);
  return {
    headers: { 'content-type': request.headers.get('content-type')! },
    payload: Buffer.from(await request.arrayBuffer()),
  };
}

export async function importFile(
  app: FastifyInstance,
  bytes: Uint8Array | null,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<LightMyRequestResponse> {
  const form = await formBody(bytes, fields);
  return app.inject({
    method: 'POST',
    url: '/v1/models',
    ...form,
    headers: { ...form.headers, ...headers },
  });
}
