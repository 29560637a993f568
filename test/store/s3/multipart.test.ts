import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { S3Client, S3Request } from '../../../src/store/s3/client.ts';
import { S3Error } from '../../../src/store/s3/errors.ts';
import { putParts } from '../../../src/store/s3/multipart.ts';

/** A client whose requests get these responses, one after the other. */
function createClient(...responses: readonly (() => Response)[]) {
  const sent: S3Request[] = [];
  const client: S3Client = {
    prefix: '',
    async send(request, read) {
      sent.push(request);
      return read(responses[sent.length - 1]!(), ReadableStream.from([]));
    },
  };
  return { client, sent };
}

const started = () => new Response('<UploadId>one</UploadId>');
const tagged = (etag: string) => () => new Response('', { headers: { etag } });
const accepted = () => new Response('');
const parts = [Uint8Array.of(1, 2), Uint8Array.of(3)];
const text = ({ body }: S3Request) => new TextDecoder().decode(body);

test('an upload begins, sends its parts with their numbers, and is completed with their tags', async () => {
  const { client, sent } = createClient(started, tagged('"a"'), tagged('"b"'), accepted);
  await putParts(client, 'blob', parts);
  assert.deepEqual(
    sent.map(({ method, name, query }) => ({ method, name, query })),
    [
      { method: 'POST', name: 'blob', query: { uploads: '' } },
      { method: 'PUT', name: 'blob', query: { partNumber: '1', uploadId: 'one' } },
      { method: 'PUT', name: 'blob', query: { partNumber: '2', uploadId: 'one' } },
      { method: 'POST', name: 'blob', query: { uploadId: 'one' } },
    ],
  );
  assert.deepEqual(
    sent.slice(1, 3).map(({ body }) => body),
    parts,
  );
  const listed = [
    '<Part><PartNumber>1</PartNumber><ETag>"a"</ETag></Part>',
    '<Part><PartNumber>2</PartNumber><ETag>"b"</ETag></Part>',
  ];
  assert.equal(text(sent[3]!), `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`);
});

test('a store that names neither the upload nor its parts gets empty names back', async () => {
  const { client, sent } = createClient(accepted, accepted, accepted);
  await putParts(client, 'blob', parts.slice(1));
  assert.deepEqual(
    sent.map(({ query }) => query?.['uploadId']),
    [undefined, '', ''],
  );
  assert.match(text(sent[2]!), /<PartNumber>1<\/PartNumber><ETag><\/ETag>/);
});

test('an upload that fails is aborted, and gives its own error even if that fails too', async () => {
  const fail = (code: string) => () => {
    throw new S3Error(403, `<Code>${code}</Code>`);
  };
  const { client, sent } = createClient(started, tagged('"a"'), fail('First'), fail('Second'));
  await assert.rejects(putParts(client, 'blob', parts), { name: 'S3Error', code: 'First' });
  const { method, query } = sent.at(-1)!;
  assert.deepEqual([sent.length, method, query], [4, 'DELETE', { uploadId: 'one' }]);
});

test('an error in the body of a completed upload is a failure of the store', async () => {
  const broken = () => new Response('<Error><Code>InternalError</Code></Error>');
  const { client, sent } = createClient(started, tagged('"a"'), broken, accepted);
  await assert.rejects(putParts(client, 'blob', parts.slice(1)), { code: 'InternalError', status: 500 });
  assert.equal(sent.at(-1)!.method, 'DELETE');
});
