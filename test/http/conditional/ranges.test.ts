import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { small } from '../../datasets/upload/fixtures.ts';
import { assertProblem, startService, train } from '../../support/start-service.ts';
import { upload } from '../upload.ts';

const { app } = await startService({ after });
await train(app);
const { id } = (await upload(app, small())).json<{ id: string }>();
const EXPORT = '/v1/models/fashion-mnist/versions/1/export?format=safetensors';
const IMAGE = '/v1/datasets/fashion-mnist/splits/test/images/0';

const get = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
  app.inject({ method, url, headers });

for (const [what, url] of [
  ['an export', EXPORT],
  ['an image of a data set', IMAGE],
  ['a slice of the images of a split', IMAGE.replace('/0', '?offset=998&limit=5')],
  ['an export of a data set', `/v1/datasets/${id}/export`],
] as const) {
  test(`${what} is sent whole or in one range`, async () => {
    const whole = await get(url);
    const { rawPayload: bytes, headers } = whole;
    const size = bytes.length;
    assert.deepEqual(
      [whole.statusCode, headers['accept-ranges'], headers['cache-control'], headers['content-length']],
      [200, 'bytes', 'private, max-age=31536000, immutable', `${size}`],
    );
    const tag = String(headers.etag);
    const ranges: [range: string, start: number, end: number][] = [
      ['bytes=0-0', 0, 0],
      ['bytes=100-', 100, size - 1],
      ['bytes=-1', size - 1, size - 1],
      ['bytes=10-99999999999', 10, size - 1],
      [`bytes=0-9,10-19`, 0, 19],
      [`bytes=${size + 1}-,5-6`, 5, 6],
      ['BYTES= 3-4 ', 3, 4],
    ];
    for (const [range, start, end] of ranges) {
      const part = await get(url, { range, 'if-range': tag, 'accept-encoding': 'gzip' });
      assert.deepEqual(
        [part.statusCode, part.headers['content-range'], part.headers['content-length'], part.headers.etag],
        [206, `bytes ${start}-${end}/${size}`, `${end - start + 1}`, tag],
        range,
      );
      assert.deepEqual(part.rawPayload, bytes.subarray(start, end + 1), range);
      assert.equal(part.headers['content-type'], headers['content-type']);
    }
    // Several ranges, other units, malformed ranges, and ranges of another file.
    const ignored: Record<string, string>[] = [
      { range: 'bytes=0-1,5-6' },
      { range: 'images=0-1' },
      { range: 'bytes=6-5' },
      { range: 'bytes=x' },
      { range: 'bytes=0-1', 'if-range': `W/${tag}` },
      { range: 'bytes=0-1', 'if-range': '"other"' },
      { range: 'bytes=0-1', 'if-range': new Date().toUTCString() },
    ];
    for (const headers of ignored) {
      const response = await get(url, headers);
      assert.equal(response.statusCode, 200, JSON.stringify(headers));
      assert.deepEqual(response.rawPayload, bytes);
    }
    for (const required of [tag, '*', `"other", ${tag}`]) {
      assert.equal((await get(url, { range: 'bytes=0-1', 'if-match': required })).statusCode, 206);
    }
    for (const required of ['"other"', `W/${tag}`, tag.replace(/"$/, '-gzip"')]) {
      for (const headers of [{ range: 'bytes=0-1' }, { range: 'bytes=0-1', 'if-none-match': tag }]) {
        const changed = await get(url, { ...headers, 'if-match': required });
        assertProblem(changed, 412, 'precondition-failed', 'If-Match');
        assert.deepEqual([changed.headers.etag, changed.headers['cache-control']], [undefined, undefined]);
      }
    }
    const beyond = await get(url, { range: `bytes=${size}-` });
    assertProblem(beyond, 416, 'range-not-satisfiable', 'Range');
    assert.equal(beyond.headers['content-range'], `bytes */${size}`);
    for (const name of ['cache-control', 'content-disposition', 'accept-ranges']) {
      assert.equal(beyond.headers[name], undefined, name);
    }
    const head = await get(url, { range: 'bytes=0-0' }, 'HEAD');
    assert.deepEqual(
      [head.statusCode, head.headers['content-length'], head.headers['accept-ranges'], head.payload],
      [200, `${size}`, 'bytes', ''],
    );
    const known = await get(url, { range: 'bytes=0-0', 'if-none-match': tag });
    assert.deepEqual([known.statusCode, known.headers.etag, known.payload], [304, tag, '']);
    assert.equal(known.headers['cache-control'], 'private, max-age=31536000, immutable');
  });
}

test('an export by the name of an alias is validated again', async () => {
  const payload = { version: 1 };
  await app.inject({ method: 'PUT', url: '/v1/models/fashion-mnist/aliases/moving', payload });
  const response = await get(EXPORT.replace('versions/1', 'versions/moving'));
  assert.equal(response.headers['cache-control'], 'private, no-cache');
  const missing = await get(EXPORT.replace('versions/1', 'versions/7'));
  assertProblem(missing, 404, 'model-not-found');
  assert.equal(missing.headers['cache-control'], undefined);
});
