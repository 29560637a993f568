import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../../../cli/command.ts';
import type { Form } from '../../../cli/upload/form.ts';
import { sendForm } from '../../../cli/upload/send.ts';

test('shows how much of a form is sent, and removes the line at the end, also after an error', async () => {
  for (const isFailing of [false, true]) {
    const shown: string[] = [];
    let request: object = {};
    const form = {
      bytes: 2_560_000,
      headers: { 'content-type': 'multipart/form-data' },
      open(onProgress: (fraction: number) => void) {
        // The second one follows too soon.
        for (const fraction of [0.299, 0.5, 1]) onProgress(fraction);
        return 'the body';
      },
    } as unknown as Form;
    const json = async (path: string, options: { headers: Record<string, string>; open: () => unknown }) => {
      const { 'idempotency-key': key, ...headers } = options.headers;
      assert.match(key!, /^[\da-f-]{36}$/);
      request = { path, headers, body: options.open() };
      if (isFailing) throw new Error('lost');
      return 'the response';
    };
    const context = { client: { json }, showStatus: (text: string) => shown.push(text) };
    const sending = sendForm(context as unknown as Context, '/v1/datasets', form);
    if (isFailing) await assert.rejects(sending, /lost/);
    else assert.equal(await sending, 'the response');
    assert.deepEqual(request, { path: '/v1/datasets', headers: form.headers, body: 'the body' });
    assert.deepEqual(shown, ['sent 29 % of 2.6 MB', 'sent 2.6 MB, waiting for the checks', '']);
  }
});
