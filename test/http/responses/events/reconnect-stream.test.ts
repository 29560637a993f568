import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksForEvents, reconnectMessage } from '../../../../src/http/responses/events/reconnect-stream.ts';

test('only requests for the events of jobs and searches reconnect', () => {
  const accept = 'text/html, text/event-stream';
  for (const url of ['/v1/training-jobs/job_1/events', '/v1/searches/src_1/events?after=3'])
    assert.ok(asksForEvents({ url, headers: { accept } }), url);
  const url = '/v1/searches/src_1/events';
  for (const request of [
    { url, headers: {} },
    { url, headers: { accept: 'application/json' } },
    { url: '/v1/models/m/events', headers: { accept } },
    { url: '/v1/searches/src_1/events/x', headers: { accept } },
    { url: '/x?/v1/searches/src_1/events', headers: { accept } },
  ])
    assert.equal(asksForEvents(request), false, request.url);
});

test('a client reconnects after a second', () => {
  assert.equal(reconnectMessage('The service is starting.'), ': The service is starting.\nretry: 1000\n');
});
