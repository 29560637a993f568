import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { registerGradientForms } from '../../../src/http/bodies/gradient-form.ts';
import { encodeParts, FORM_TYPE, type Part } from './form-request.ts';

const app = Fastify();
const gradientOf = registerGradientForms(app, 4);
app.post('/', async (request) => ({ body: request.body, gradient: gradientOf(request)?.toString() ?? null }));

const post = async (type: string, payload: string | Buffer) =>
  (await app.inject({ method: 'POST', url: '/', headers: { 'content-type': type }, payload })).json();
const file = (content: string): Part => ({ name: 'gradient', filename: 'g.npy', content });
const send = (...parts: Part[]) => post(FORM_TYPE, encodeParts(parts));

test('the body of a form is its field `request`, by default {}, beside the file', async () => {
  const field = { name: 'request', content: '{"examples":2}' };
  assert.deepEqual(await send(field, file('1234')), { body: { examples: 2 }, gradient: '1234' });
  assert.deepEqual(await send(file('1')), { body: {}, gradient: '1' });
});

test('another body has no file', async () => {
  assert.deepEqual(await post('application/json', '{"a":1}'), { body: { a: 1 }, gradient: null });
});

test('a form needs a gradient of limited size, and valid JSON', async () => {
  const message = async (...parts: Part[]) => (await send(...parts)).message;
  assert.match(
    await message(),
    /#\/gradient: Is required\. Send it as in curl -F request='\{\}' -F gradient/,
  );
  assert.match(await message(file('12345')), /limit of 4 bytes/);
  assert.match(
    await message(file('1'), { name: 'request', content: '{' }),
    /^The field `request` cannot be read/,
  );
  assert.match(await message(file('1'), { name: 'x', content: '1' }), /#\/x/);
});
