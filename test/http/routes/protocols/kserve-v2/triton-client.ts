/**
 * Requests and responses, byte by byte as Triton's and KServe's Python clients write and read them
 * (tritonclient/http/_utils.py, _infer_input.py, _infer_result.py; kserve/protocol/infer_type.py).
 */
import assert from 'node:assert/strict';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

export const LENGTH = 'inference-header-content-length';

/** A request of a JSON object followed by binary tensors, without content type, as tritonclient sends it. */
export function binaryRequest(json: object, tensors: readonly Uint8Array[]) {
  const text = Buffer.from(JSON.stringify(json));
  return {
    headers: { [LENGTH]: String(text.length) },
    payload: Buffer.concat([text, ...tensors]),
  };
}

export interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: number[];
  readonly data?: (number | string)[];
  readonly parameters?: { readonly binary_data_size: number };
}

export interface Result {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: Output[];
}

/** Reads the JSON and the bytes of each binary tensor by name. Asserts that no bytes are left. */
export function readResult({ headers, rawPayload }: LightMyRequestResponse): {
  result: Result;
  tensors: Record<string, Buffer>;
} {
  const given = headers[LENGTH];
  const length = given === undefined ? rawPayload.length : Number(given);
  const result: Result = JSON.parse(rawPayload.toString('utf8', 0, length));
  let offset = length;
  const tensors: Record<string, Buffer> = {};
  for (const { name, parameters } of result.outputs) {
    if (parameters === undefined) continue;
    tensors[name] = rawPayload.subarray(offset, offset + parameters.binary_data_size);
    offset += parameters.binary_data_size;
  }
  assert.equal(offset, rawPayload.length);
  return { result, tensors };
}

/** Texts, each preceded by its length: `struct.pack('<I', …)`. */
export function readTexts(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    texts.push(bytes.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return texts;
}

export const readFloats = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));

export const readLongs = (bytes: Buffer): bigint[] =>
  Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readBigInt64LE(8 * i));

/** Numbers as `<f4`, written one by one. */
export function floats(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes;
}

export function inferJson(app: FastifyInstance, body: unknown, url = '/v2/models/fashion-mnist/infer') {
  return app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body),
  });
}

/** Asserts that the response is exactly `{"error": "text"}` as application/json. */
export function assertError(response: LightMyRequestResponse, status: number, pattern = /./): void {
  assert.equal(response.statusCode, status, response.body);
  assert.equal(response.headers['content-type'], 'application/json');
  const body = response.json();
  assert.deepEqual(Object.keys(body), ['error']);
  assert.match(body.error, pattern);
}
