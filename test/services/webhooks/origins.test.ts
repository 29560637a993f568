import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertWebhookAllowed, isAllowedOrigin } from '../../../src/services/webhooks/origins.ts';

const notify = { url: 'https://a.example:8443/hook?x=1', secret: '' };

test('a webhook needs an origin that the operator lists', () => {
  const listed = ['https://b.example', 'https://a.example:8443'];
  assert.doesNotThrow(() => assertWebhookAllowed(notify, listed));
  assert.deepEqual(
    ['https://a.example:8443/x', 'https://a.example/x', 'http://b.example'].map((url) =>
      isAllowedOrigin(new URL(url), listed),
    ),
    [true, false, false],
  );
});

test('the error names the origins that are allowed, or the setting if there are none', () => {
  const failure = (message: string, detail: string) => ({
    code: 'webhook-not-allowed',
    message,
    details: [{ pointer: '#/notify/url', detail }],
  });
  assert.throws(
    () => assertWebhookAllowed(notify, []),
    failure(
      'Webhooks are switched off. The operator of the service allows them by setting WEBHOOK_ORIGINS, for example to https://a.example:8443.',
      'is not allowed, because the service allows no origins',
    ),
  );
  assert.throws(
    () => assertWebhookAllowed(notify, ['https://b.example', 'https://c.example']),
    failure(
      'Webhooks to https://a.example:8443 are not allowed. WEBHOOK_ORIGINS allows https://b.example, https://c.example.',
      'must have one of the origins https://b.example, https://c.example, but has https://a.example:8443',
    ),
  );
});
