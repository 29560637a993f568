import assert from 'node:assert/strict';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { parameterCount } from '../../../src/numerics/network/architecture.ts';
import { numbers } from '../../formats/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { startService, train } from '../../support/start-service.ts';
import { formBody } from '../import-file.ts';

const log: { level: number; msg: string; url?: string; status?: number }[] = [];
let noticed = Promise.withResolvers<void>();
const { app } = await startService({ after }, { LOG_LEVEL: 'info' }, (line) => {
  log.push(JSON.parse(line));
  if (log.at(-1)!.msg === 'client disconnected') noticed.resolve();
});
await app.listen({ port: 0, host: '127.0.0.1' });
await train(app);
const { port } = app.server.address() as AddressInfo;

const MODEL = '/v1/models/fashion-mnist/predictions';
const request = (path: string, headers: string, body: string | Buffer) => [
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`,
  body,
];
const check = JSON.stringify({ examples: 40 });

/** Parameters of a large network: evaluating it on 10,000 images, or exporting it as ONNX, takes long. */
const large = numbers(parameterCount(dense([784, 1000, 1000, 10])));
const fields = { name: 'large', hidden: '1000,1000' };
const { headers, payload: form } = await formBody(npyBytes(large, [large.length]), fields);
const formHeaders = `Content-Type: ${headers['content-type']}`;
const published = await app.inject({ method: 'POST', url: '/v1/models', headers, payload: form });
assert.equal(published.statusCode, 201, published.body);

/** Requests that the client abandons. */
const left: [title: string, parts: (string | Buffer)[]][] = [
  [
    'in the middle of JSON',
    request('/v1/training-jobs', 'Content-Type: application/json\r\nContent-Length: 9', '{'),
  ],
  [
    'in the middle of bytes',
    request(MODEL, 'Content-Type: application/octet-stream\r\nContent-Length: 784', 'x'),
  ],
  [
    'in the middle of a form',
    request(
      MODEL,
      'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000',
      '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nxxxx',
    ),
  ],
  [
    'in the middle of a body that is refused',
    request(MODEL, 'Content-Type: image/gif\r\nContent-Length: 5000', 'GIF'),
  ],
  [
    'while many images are predicted',
    request(
      MODEL,
      `Content-Type: application/octet-stream\r\nContent-Length: ${20_000 * 784}`,
      Buffer.alloc(20_000 * 784),
    ),
  ],
  [
    'while a gradient is checked',
    request(
      '/v1/gradient-checks',
      `Content-Type: application/json\r\nContent-Length: ${check.length}`,
      check,
    ),
  ],
  [
    'while a model is imported',
    request('/v1/models', `${formHeaders}\r\nContent-Length: ${form.length}`, form),
  ],
  [
    'while a model is exported',
    ['GET /v1/models/large/versions/1/export?format=onnx HTTP/1.1\r\nHost: localhost\r\n\r\n', ''],
  ],
];

function leave(socket: Socket): Promise<unknown> {
  const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
  socket.resetAndDestroy();
  return closed;
}

for (const [title, parts] of left) {
  test(`a client that disconnects ${title} is logged once, without an error`, async () => {
    log.length = 0;
    noticed = Promise.withResolvers();
    // Waits until the service has received the request, not only until the system has sent it.
    const arrived = new Promise<void>((resolve) => app.server.once('request', () => resolve()));
    const socket = connect(port, '127.0.0.1');
    for (const part of parts) socket.write(part);
    await arrived;
    const { length } = parts[1]!;
    while (socket.bytesWritten < length) await new Promise((resolve) => socket.once('drain', resolve));
    await leave(socket);
    await noticed.promise;
    assert.deepEqual(
      log.map(({ level, msg }) => [level, msg]),
      [[30, 'client disconnected']],
    );
    const next = await app.inject('/v1/models');
    assert.equal(next.statusCode, 200, next.body);
  });
}
