import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startService } from '../../../support/start-service.ts';

const { app } = await startService({ after });

test('responses forbid browsers to load, run and frame anything', async () => {
  const answers = [
    { url: '/v1/datasets' },
    { url: '/v1/datasets/fashion-mnist/splits/test/images/0' },
    { url: '/openapi.json' },
    { url: '/health/live' },
    { url: '/nothing' },
    { url: '/%zz' },
    { url: '/v1/training-jobs', method: 'POST' as const, payload: { dataset: '<script>' } },
  ];
  for (const request of answers) {
    const { headers } = await app.inject(request);
    assert.equal(
      headers['content-security-policy'],
      "default-src 'none';frame-ancestors 'none'",
      request.url,
    );
    assert.equal(headers['x-content-type-options'], 'nosniff', request.url);
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', request.url);
  }
});

test("/docs may run the service's own scripts only, also over plain HTTP", async () => {
  for (const url of ['/docs', '/docs/', '/docs/static/swagger-initializer.js']) {
    const { headers, statusCode } = await app.inject(url);
    const policy = String(headers['content-security-policy']);
    assert.equal(statusCode, 200, url);
    assert.match(policy, /default-src 'none'; script-src 'self'; /, url);
    assert.match(policy, /; img-src 'self' data: blob:; connect-src 'self';/, url);
    assert.doesNotMatch(policy, /unsafe-eval|script-src[^;]*unsafe-inline|https?:|upgrade-insecure/, url);
    assert.equal(headers['strict-transport-security'], undefined, url);
  }
});

test('/docs has no inline scripts, because its policy would block them', async () => {
  const { body } = await app.inject('/docs');
  assert.match(body, /<script src=/);
  assert.doesNotMatch(body, /<script(?![^>]*\ssrc=)/);
});
