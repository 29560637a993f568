import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import Fastify, { type FastifyRequest } from 'fastify';
import { AtelierError } from '../../../src/errors.ts';
import {
  invalidPart,
  isForm,
  type LimitedForm,
  parseForm,
  registerForms,
  requireForm,
} from '../../../src/http/bodies/multipart.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { encodeParts, FORM_TYPE, formRequest, type Part } from './form-request.ts';

const FORM: LimitedForm = {
  limits: { files: 2, fields: 3, fieldBytes: 8 },
  tooLarge: (maxBytes) => `More than ${maxBytes}.`,
  tooManyFiles: () => new AtelierError('body-too-large', 'Too many.'),
};

async function readRequest(request: FastifyRequest, form = FORM) {
  const found: (readonly string[])[] = [];
  for await (const part of parseForm(request, form, 10)) {
    if (part.kind === 'field') found.push([part.name, part.value, ...(part.isCut ? ['cut'] : [])]);
    else {
      const content = Buffer.concat(await Array.fromAsync(part.chunks)).toString();
      found.push([part.name, part.filename, part.type, content]);
    }
  }
  return found;
}
const read = (parts: readonly Part[], form?: LimitedForm) => readRequest(formRequest(parts), form);
const file = (name: string, content: string): Part => ({ name, filename: 'f.npy', type: 'a/b', content });

test('parts are read in their order, and a file without a name has that of its part', async () => {
  const unnamed = { name: 'c', filename: '', type: 'a/b', content: 'xyz' };
  assert.deepEqual(await read([file('b', '12'), { name: 'a', content: '3' }, unnamed]), [
    ['b', 'f.npy', 'a/b', '12'],
    ['a', '3'],
    ['c', 'c', 'a/b', 'xyz'],
  ]);
});

test('a file input without a file is skipped, a field without text is not', async () => {
  const parts = [
    { name: 'a', content: '' },
    { name: 'b', filename: '', type: 'a/b', content: '' },
  ];
  assert.deepEqual(await read(parts), [['a', '']]);
});

test('text that a client declares as JSON loses its quotes', async () => {
  const json = (name: string, content: string) => ({ name, type: 'application/json', content });
  const parts = [json('a', '"x"'), json('b', '[1]'), json('c', '"x'), { name: 'd', content: '"x"' }];
  const limits = { ...FORM.limits, fields: 4 };
  assert.deepEqual(
    (await read(parts, { ...FORM, limits })).map(([, value]) => value),
    ['x', '[1]', '"x', '"x"'],
  );
});

test('a form may reach its limits', async () => {
  const text = { name: 'a', content: '1234567' };
  const fields = [text, { ...text, name: 'c' }, { ...text, name: 'd' }];
  assert.equal((await read([...fields, file('f', '12345'), file('g', '67890')])).length, 5);
  const length = { 'content-length': `${10 + 1_048_576}` };
  assert.deepEqual(await readRequest(formRequest([text], length)), [['a', '1234567']]);
});

for (const [what, parts, code, message] of [
  ['files', [file('a', '1'), file('b', '2'), file('c', '3')], 'body-too-large', 'Too many.'],
  ['bytes', [file('a', '123456'), file('b', '78901')], 'body-too-large', 'More than 10.'],
  [
    'fields',
    ['a', 'b', 'c', 'd'].map((name) => ({ name, content: '1' })),
    'malformed-body',
    'The form cannot be read: it has more than 3 fields.',
  ],
] as const) {
  test(`a form of too many ${what} is rejected`, async () => {
    await assert.rejects(read(parts), { code, message });
  });
}

test('a field that is too long is cut', async () => {
  assert.deepEqual(await read([{ name: 'a', content: '123456789' }]), [['a', '12345678', 'cut']]);
});

test('a body that is too large is rejected before it is read', async () => {
  const request = formRequest([], { 'content-length': `${10 + 1_048_577}` });
  await assert.rejects(readRequest(request), isAtelierError('body-too-large', /^More than 10\.$/));
  assert.equal(request.raw.readableDidRead, false);
});

test('a part needs a name, other than those of every object', async () => {
  const named = (name?: string) => read([{ ...(name !== undefined && { name }), content: '1' }]);
  for (const name of [undefined, ''])
    await assert.rejects(named(name), isAtelierError('malformed-body', /a part has no name\.$/));
  for (const name of ['__proto__', 'constructor', 'toString'])
    await assert.rejects(named(name), isAtelierError('malformed-body', /must not be named __proto__/));
});

test('a form that ends early is malformed, in a file as elsewhere', async () => {
  const whole = encodeParts([file('a', '12345')]);
  for (const bytes of [whole.subarray(0, -10), whole.subarray(0, 20), Buffer.from('x')])
    await assert.rejects(readRequest(formRequest(bytes)), isAtelierError('malformed-body'));
});

test('a connection that fails in a file ends the form with its error', async () => {
  const raw = Readable.from(
    (async function* () {
      yield encodeParts([file('a', '12345')]).subarray(0, -10);
      throw new Error('The connection is lost');
    })(),
  );
  const request = { raw, headers: { 'content-type': FORM_TYPE } } as unknown as FastifyRequest;
  const message = 'The form cannot be read: The connection is lost.';
  await assert.rejects(readRequest(request), { code: 'malformed-body', message });
});

test('a reader that stops leaves the rest of the body to others', async () => {
  const request = formRequest([file('a', '1'), file('b', '2')]);
  for await (const part of parseForm(request, FORM, 10)) if (part.kind === 'file') break;
  assert.deepEqual(
    ['data', 'error', 'end'].map((event) => request.raw.listenerCount(event)),
    [0, 0, 0],
  );
});

test('an error shows 64 characters of a name', () => {
  const pointer = (length: number) => invalidPart('x'.repeat(length), 'Is wrong.').details;
  assert.deepEqual(pointer(64), [{ pointer: `#/${'x'.repeat(64)}`, detail: 'Is wrong.' }]);
  assert.deepEqual(pointer(65), [{ pointer: `#/${'x'.repeat(64)}…`, detail: 'Is wrong.' }]);
});

test('a scope for forms rejects other types by their headers', async () => {
  const app = Fastify();
  registerForms(app);
  requireForm(app);
  app.post('/', async (request) => ({ isForm: isForm(request) }));
  const post = (type: string) =>
    app.inject({ method: 'POST', url: '/', headers: { 'content-type': type }, payload: encodeParts([]) });
  assert.deepEqual((await post('Multipart/Form-Data; boundary=b')).json(), { isForm: true });
  const { statusCode, code } = (await post('application/json')).json();
  assert.deepEqual([statusCode, code], [415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE']);
  assert.equal(isForm({ body: Buffer.of(1) } as FastifyRequest), false);
});
