import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { assertProblem, startService, testImage, train } from '../../../support/start-service.ts';
import { encodeForm } from '../../import-file.ts';

let disconnected = 0;
let onDisconnected = () => {};
const environment = { LOG_LEVEL: 'info', MAX_IMAGE_PIXELS: String(2048 * 2048) };
const { app } = await startService({ after }, environment, (line) => {
  if (JSON.parse(line).msg !== 'client disconnected') return;
  disconnected++;
  onDisconnected();
});
await train(app);
const url = '/v1/models/fashion-mnist/predictions';

const makeImage = (side: number) =>
  sharp({ create: { width: side, height: side, channels: 3, background: 'teal' } })
    .webp({ lossless: true, effort: 0 })
    .toBuffer();
const [medium, largest, tooLarge] = await Promise.all([makeImage(600), makeImage(2048), makeImage(2049)]);

const send = (payload: Buffer, query = '?fit=contain', headers = { 'content-type': 'image/webp' }) =>
  app.inject({ method: 'POST', url: `${url}${query}`, headers, payload });

test('rejects an image beyond MAX_IMAGE_PIXELS by its header', async () => {
  const { detail } = assertProblem(await send(tooLarge), 422, 'invalid-image-size');
  assert.match(detail, /2049×2049 pixels; images of up to 4,194,304 pixels are resized\. Resize it/);
  assert.equal((await send(largest)).statusCode, 200);
});

test('responds with 503 if too many large images are waiting, and still predicts small ones', async () => {
  const png = await testImage(app, 0, 'image/png');
  const all = Array.from({ length: 120 }, () => send(medium));
  const small = await send(png, '', { 'content-type': 'image/png' });
  assert.equal(small.statusCode, 200);
  const responses = await Promise.all(all);
  const rejected = responses.filter(({ statusCode }) => statusCode === 503);
  assert.ok(rejected.length > 0 && rejected.length < 60, `${rejected.length} rejected`);
  for (const response of rejected) assertProblem(response, 503, 'overloaded');
  assert.equal(rejected[0]!.headers['retry-after'], '1');
  assert.ok(responses.every(({ statusCode }) => statusCode === 200 || statusCode === 503));
});

test('requests leave the queue when their clients disconnect', async () => {
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as { port: number };
  const form = new FormData();
  const picture = new Blob([new Uint8Array(largest)], { type: 'image/webp' });
  for (let n = 0; n < 4; n++) form.append('file', picture, `${n}.webp`);
  const { headers, payload } = await encodeForm(form);
  const served = Array.from({ length: 6 }, () => send(payload, '?fit=contain', headers));
  // By now the other forms have read their headers, and wait in front of the requests below.
  await Promise.race(served);

  const head = `POST ${url}?fit=contain HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/webp\r\ncontent-length: ${largest.length}\r\n\r\n`;
  const sockets = Array.from({ length: 10 }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) socket.write(Buffer.concat([Buffer.from(head), largest]));
  let received = 0;
  await new Promise<void>((resolve) => {
    // Not emitted for the requests above, which have no connection.
    app.server.on('request', () => {
      if (++received === sockets.length) resolve();
    });
  });
  const allDisconnected = new Promise<void>((resolve) => {
    onDisconnected = () => {
      if (disconnected === sockets.length) resolve();
    };
  });
  for (const socket of sockets) socket.destroy();
  // A request whose images have been decoded is not logged as disconnected.
  await allDisconnected;
  for (const { statusCode } of await Promise.all(served)) assert.equal(statusCode, 200);
});
