/** A form of a gradient check: the JSON of the request, and the file of a gradient. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { formOfFile, readForm } from './form.ts';
import { createReadJson } from './json.ts';
import { isForm, registerForms } from './multipart.ts';
import { toMemory } from './receive-file.ts';

const FORM = formOfFile(
  'gradient',
  "curl -F request='{}' -F gradient=@gradient.npy",
  z.strictObject({ request: z.string().default('{}') }),
);

/**
 * Makes the JSON of a form the body of its request, so that it is validated as a body of JSON is.
 * @returns the file of a request; null if it is not a form
 */
export function registerGradientForms(
  scope: FastifyInstance,
  maxBytes: number,
): (request: FastifyRequest) => Buffer | null {
  const files = new WeakMap<FastifyRequest, Buffer>();
  const readJson = createReadJson(scope, 'field `request`');
  registerForms(scope);
  scope.addHook('preValidation', async (request) => {
    if (!isForm(request)) return;
    const { fields, files: received } = await readForm(request, FORM, maxBytes, toMemory);
    files.set(request, received[0]!);
    request.body = readJson(request, Buffer.from(fields.request));
  });
  return (request) => files.get(request) ?? null;
}
