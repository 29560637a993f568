import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signMessage } from '../../../src/services/webhooks/sign.ts';

test('signs the id, the time in seconds and the body, as the example of Standard Webhooks', () => {
  const message = {
    messageId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    body: '{"test": 2432232314}',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  };
  assert.deepEqual(signMessage(message, new Date(1_614_265_330_999)), {
    'webhook-id': message.messageId,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
  assert.throws(() => signMessage({ ...message, secret: 'secret' }, new Date()), RangeError);
});
