import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { AtelierError } from '../../../../src/errors.ts';
import { npyBytes } from '../../../../src/formats/arrays/npy.ts';
import { readExamples } from '../../../../src/http/openapi/examples.ts';
import { gradientCheckRoutes } from '../../../../src/http/routes/checks/gradients.ts';
import { startService } from '../../../support/start-service.ts';
import { encodeParts, FORM_TYPE } from '../../bodies/form-request.ts';
import { serveRoutes } from '../bare-app.ts';

const { GradientCheck: REPORT } = await readExamples();
const checked: unknown[][] = [];
const followed: unknown[][] = [];
let streams = 0;
const app = await serveRoutes(gradientCheckRoutes, {
  gradients: {
    async check(_request: object, output: string, _signal: AbortSignal, file: Buffer | null) {
      checked.push([output, file?.toString() ?? null]);
      return output === 'report' ? { report: REPORT, npy: null } : { report: null, npy: Uint8Array.of(1, 2) };
    },
    async follow({ examples }: { examples: number }, _warn: unknown, file: Buffer | null) {
      if (examples === 1) throw new AtelierError('check-too-costly', 'It would take a day.');
      followed.push([examples, file]);
      return async function* () {
        yield [{ id: 1, type: 'result' }];
      };
    },
  },
  health: { stopping: new AbortController().signal },
  countStream: () => streams++,
  maxBodyBytes: 1000,
});
function post(headers: Readonly<Record<string, string>>, payload: object, query = '') {
  checked.length = 0;
  return app.inject({ method: 'POST', url: `/v1/gradient-checks${query}`, headers, payload });
}

test('a check gives its report, or a vector as npy', async () => {
  const report = await post({}, {});
  assert.deepEqual([report.json(), checked], [REPORT, [['report', null]]]);
  for (const [query, output] of [
    ['', 'analytic'],
    ['?vector=numeric', 'numeric'],
  ] as const) {
    const npy = await post({ accept: 'application/x-npy' }, {}, query);
    assert.deepEqual([npy.headers['content-type'], [...npy.rawPayload]], ['application/x-npy', [1, 2]]);
    assert.deepEqual(checked, [[output, null]]);
  }
});

test('a form compares its own gradient', async () => {
  const form = encodeParts([{ name: 'gradient', filename: 'g.npy', content: 'abc' }]);
  const response = await post({ 'content-type': FORM_TYPE }, form);
  assert.deepEqual([response.json(), checked], [REPORT, [['report', 'abc']]]);
});

test('a stream reports the progress of a check, and counts unless the check is rejected', async () => {
  const accept = 'text/event-stream';
  const rejected = await post({ accept }, { examples: 1 });
  assert.deepEqual([rejected.json().code, streams], ['check-too-costly', 0]);
  const { headers, body } = await post({ accept }, { examples: 2 });
  assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.equal(body, 'retry: 2000\nid: 1\nevent: result\ndata: {"id":1,"type":"result"}\n\n');
  assert.deepEqual([followed, streams], [[[2, null]], 1]);
});

test('a streamed check of a large file adds no more listeners to the response than Node allows', async (t) => {
  const { app: service } = await startService(t);
  const address = await service.listen({ port: 0, host: '127.0.0.1' });
  const responses: ServerResponse[] = [];
  service.server.on('request', (_request, response) => responses.push(response));
  const form = new FormData();
  form.append('request', JSON.stringify({ network: { hidden: [100] }, coordinates: { sample: 10 } }));
  // More than 256 KiB, the limit of large bodies.
  const gradient = npyBytes(new Float32Array(784 * 100 + 100 + 100 * 10 + 10), [79_510]);
  form.append('gradient', new Blob([new Uint8Array(gradient)]), 'gradient.npy');
  const init = { method: 'POST', headers: { accept: 'text/event-stream' }, body: form };
  const response = await fetch(`${address}/v1/gradient-checks`, init);
  const listeners = responses[0]!.listenerCount('close');
  assert.match(await response.text(), /event: result/);
  assert.ok(listeners > 0 && listeners <= EventEmitter.defaultMaxListeners, `${listeners}`);
});
