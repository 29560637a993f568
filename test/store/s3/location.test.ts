import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlobUrl } from '../../../src/store/s3/location.ts';

test('a blob URL names a bucket, with a prefix, an endpoint and a region if it likes', () => {
  const cases = [
    ['s3://blobs', 'https://s3.eu-west-1.amazonaws.com', '', 'eu-west-1'],
    ['s3://blobs/', 'https://s3.eu-west-1.amazonaws.com', '', 'eu-west-1'],
    ['s3://blobs?region=us-east-2', 'https://s3.us-east-2.amazonaws.com', '', 'us-east-2'],
    ['s3://blobs/a?endpoint=http://minio:9000/', 'http://minio:9000', 'a/', 'eu-west-1'],
    ['s3://blobs/a/b-1_c.d/?endpoint=https://host/s3&region=auto', 'https://host/s3', 'a/b-1_c.d/', 'auto'],
  ] as const;
  for (const [url, endpoint, prefix, region] of cases)
    assert.deepEqual(parseBlobUrl(url, 'eu-west-1'), { endpoint, bucket: 'blobs', prefix, region }, url);
});

test('a blob URL is rejected without its text, because it may hold a secret', () => {
  const cases = {
    'begins with s3:// and the name of a bucket': [
      'https://blobs/secret',
      's3:///secret',
      's3://blobs:90/secret',
      's3://secret@blobs',
      's3://:secret@blobs',
    ],
    'The prefix of a blob URL': ['s3://blobs/secret//b', 's3://blobs/secret%20b', 's3://blobs//secret'],
    'The parameters of a blob URL': ['s3://blobs?secret=1', 's3://blobs?region=a&secret=1'],
    'The endpoint of a blob URL': [
      's3://blobs?endpoint=ftp://secret',
      's3://blobs?endpoint=https://host?key=secret',
    ],
  };
  for (const [problem, urls] of Object.entries(cases)) {
    for (const url of urls) {
      assert.throws(
        () => parseBlobUrl(url, 'eu-west-1'),
        (error: unknown) =>
          error instanceof RangeError && error.message.includes(problem) && !error.message.includes('secret'),
        url,
      );
    }
  }
});
