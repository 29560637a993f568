import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcement } from '../../src/process/announcement.ts';

const local = { basePath: '', role: 'all', publicPage: true, publicDocs: true, requiresKey: false } as const;

test('names the page, the documentation and a first request', () => {
  assert.equal(
    announcement('http://127.0.0.1:3000', local),
    'Atelier serves http://127.0.0.1:3000, the page at http://127.0.0.1:3000/, documentation at http://127.0.0.1:3000/docs. ' +
      'Try: curl -s http://127.0.0.1:3000/v1/training-jobs',
  );
});

test('names only what can be reached, and where a key is needed', () => {
  const closed = { ...local, basePath: '/ml', publicPage: false, publicDocs: false, requiresKey: true };
  const request = "Try: curl -s http://localhost:80/ml/v1/training-jobs -H 'authorization: Bearer <key>'";
  for (const [address, docs, config] of [
    ['http://0.0.0.0:80', 'docs, with a key', closed],
    ['http://[::]:80', 'docs', { ...closed, publicDocs: true }],
  ] as const) {
    const served = `${address}/ml, documentation at http://localhost:80/ml/${docs}.`;
    assert.equal(announcement(address, config), `Atelier serves ${served} ${request}`);
  }
  const worker = announcement('http://0.0.0.0:80', { ...closed, role: 'worker' });
  assert.equal(worker, 'Atelier serves http://0.0.0.0:80/ml, as a worker only /health and /metrics.');
});
