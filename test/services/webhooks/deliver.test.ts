import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, BlockList } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { Webhook } from 'standardwebhooks';
import type { WebhookMessage } from '../../../src/domain/jobs/webhook-message.ts';
import { isReachable, toBlockList } from '../../../src/services/webhooks/addresses.ts';
import { RETRY_DELAYS_MS } from '../../../src/services/webhooks/attempt.ts';
import { createWebhookDelivery } from '../../../src/services/webhooks/deliver.ts';
import { postWebhook, type ResolveName } from '../../../src/services/webhooks/post.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { request, untouched } from '../../store/fixtures.ts';
import { startReceiver } from '../../support/servers/webhook-receiver.ts';
import { addCleanup, temporaryDirectory } from '../../support/start-service.ts';

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const privately = toBlockList(['127.0.0.0/8']);
const publicOnly = new BlockList();

async function temporaryStore(t: TestContext): Promise<Store> {
  const store = await openStore(await temporaryDirectory(t));
  addCleanup(t, store.close);
  return store;
}

/** A job that has ended, whose webhook is due. */
async function endedJob(store: Store, url: string): Promise<string> {
  const { id } = await store.jobs.create(request(), untouched, { notify: { url, secret } });
  await store.jobs.requestCancel(id);
  return id;
}

/** Starts a delivery, whose result then resolves when that many attempts have ended. */
function deliver(
  t: TestContext,
  store: Store,
  origins: string[],
  changes: { delaysMs?: number[]; allowed?: BlockList } = {},
) {
  const results: string[] = [];
  const lines: object[] = [];
  const waiting = new Map<number, () => void>();
  const delivery = createWebhookDelivery({
    store,
    origins,
    allowed: publicOnly,
    onResult(result) {
      results.push(result);
      waiting.get(results.length)?.();
    },
    log: { warn: (details, message) => void lines.push({ ...details, message }) },
    onDefect: assert.ifError,
    ...changes,
  });
  delivery.start();
  addCleanup(t, delivery.close);
  return {
    lines,
    close: delivery.close,
    async until(count: number) {
      if (results.length < count) await new Promise<void>((resolve) => waiting.set(count, resolve));
      return results;
    },
  };
}

test('a failed attempt is repeated with the same id, and every attempt is signed', async (t) => {
  const store = await temporaryStore(t);
  const receiver = await startReceiver(
    t,
    (response, n) => void response.writeHead(n < 3 ? 500 : 200).end('ok'),
  );
  const { until, lines } = deliver(t, store, [receiver.origin], { delaysMs: [0, 0] });
  const id = await endedJob(store, `${receiver.origin}/hook?token=t0p`);
  assert.deepEqual(await until(3), ['failed', 'failed', 'delivered']);
  const { notify } = (await store.jobs.get(id))!;
  assert.deepEqual([notify!.attempts, notify!.lastError, notify!.nextAttemptAt], [3, null, null]);
  assert.ok(notify!.deliveredAt);
  const verifier = new Webhook(secret);
  const ids = receiver.received.map(({ path, headers, body }) => {
    assert.equal(path, '/hook?token=t0p');
    assert.equal(headers['content-type'], 'application/json');
    const { type, data } = verifier.verify(body, headers as Record<string, string>) as WebhookMessage;
    assert.deepEqual([type, data.id], ['training-job.cancelled', id]);
    return headers['webhook-id'];
  });
  assert.deepEqual([ids.length, new Set(ids).size], [3, 1]);
  assert.equal(lines.length, 2);
  assert.doesNotMatch(JSON.stringify(lines), /whsec|t0p/);
});

test('nothing is claimed before the delivery is started, and without origins', async (t) => {
  for (const [origins, isStarted] of [
    [['http://127.0.0.1:1'], false],
    [[], true],
  ] as const) {
    const store = await temporaryStore(t);
    let claims = 0;
    const claim: Store['webhooks']['claim'] = (...args) => {
      claims++;
      return store.webhooks.claim(...args);
    };
    const delivery = createWebhookDelivery({
      store: { events: store.events, webhooks: { ...store.webhooks, claim } },
      origins,
      allowed: publicOnly,
      onResult: assert.fail,
      log: { warn: assert.fail },
      onDefect: assert.ifError,
    });
    if (isStarted) delivery.start();
    await endedJob(store, 'http://127.0.0.1:1');
    await delivery.close();
    assert.equal(claims, 0);
  }
});

test('the outbox is looked at again when its next message is due', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
  let claims = 0;
  const webhooks = {
    claim: async () => void claims++,
    nextDue: async () => new Date(Date.now() + 30),
  } as unknown as Store['webhooks'];
  const delivery = createWebhookDelivery({
    store: { events: { onCommitted() {} } as unknown as Store['events'], webhooks },
    origins: ['http://127.0.0.1:1'],
    allowed: publicOnly,
    onResult: assert.fail,
    log: { warn: assert.fail },
    onDefect: assert.ifError,
  });
  delivery.start();
  for (const [ms, expected] of [
    [0, 1],
    [29, 1],
    [1, 2],
  ] as const) {
    t.mock.timers.tick(ms);
    await setImmediate();
    assert.equal(claims, expected);
  }
  await delivery.close();
});

test('410 ends the delivery at once, a redirect is not followed, and the attempts are limited', async (t) => {
  const store = await temporaryStore(t);
  const other = await startReceiver(t);
  const receiver = await startReceiver(t, (response, n) => {
    if (n === 1) return void response.writeHead(410).end();
    response.writeHead(307, { location: other.origin }).end();
  });
  const { until } = deliver(t, store, [receiver.origin, other.origin], { delaysMs: [0] });
  const gone = await endedJob(store, receiver.origin);
  assert.deepEqual(await until(1), ['abandoned']);
  const redirected = await endedJob(store, receiver.origin);
  assert.deepEqual(await until(3), ['abandoned', 'failed', 'abandoned']);
  const errors = await Promise.all(
    [gone, redirected].map(async (id) => (await store.jobs.get(id))!.notify!.lastError),
  );
  assert.match(errors[0]!, /410/);
  assert.match(errors[1]!, /307. Redirects are not followed/);
  assert.deepEqual([other.received.length, await store.webhooks.nextDue()], [0, null]);
});

test('a host name is sent to only if all of its addresses are public or listed', async (t) => {
  const store = await temporaryStore(t);
  const receiver = await startReceiver(t);
  const origin = `http://localhost:${receiver.port}`;
  const refused = deliver(t, store, [origin], { delaysMs: [0] });
  const id = await endedJob(store, origin);
  assert.deepEqual(await refused.until(2), ['failed', 'abandoned']);
  assert.match(
    (await store.jobs.get(id))!.notify!.lastError!,
    /localhost resolves to .* WEBHOOK_PRIVATE_RANGES/,
  );
  assert.equal(receiver.received.length, 0);
  await refused.close();

  const send = (resolve: ResolveName, allowed = privately) =>
    postWebhook(new URL(`http://hooks.example:${receiver.port}/`), {}, '{}', {
      allowed,
      resolve,
      signal: AbortSignal.timeout(5000),
    });
  const loopback = { address: '127.0.0.1', family: 4 };
  // A second DNS query would now return another address.
  let answers = 0;
  assert.equal(
    await send(async () => (answers++ === 0 ? [loopback] : [{ address: '127.0.0.2', family: 4 }])),
    204,
  );
  assert.deepEqual([answers, receiver.received[0]!.headers.host], [1, `hooks.example:${receiver.port}`]);
  const mixed = async () => [
    { address: '93.184.215.14', family: 4 },
    { address: '::ffff:127.0.0.1', family: 6 },
  ];
  await assert.rejects(send(mixed, publicOnly), /not public/);
  await assert.rejects(
    send(async () => []),
    /no address/,
  );
});

test('a request by TLS names the host, and the certificate must match the host', async (t) => {
  // openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=hooks.example \
  //   -addext subjectAltName=DNS:hooks.example -keyout key.pem -out certificate.pem
  const read = (name: string) => readFileSync(join(import.meta.dirname, '../../fixtures/tls', name), 'utf8');
  const cert = read('certificate.pem');
  const names: (string | false | null | undefined)[] = [];
  const server = createServer({ cert, key: read('key.pem') }, ({ socket }, response) => {
    names.push((socket as TLSSocket).servername);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const before = getCACertificates();
  setDefaultCACertificates([...before, cert]);
  addCleanup(t, async () => {
    setDefaultCACertificates(before);
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const send = (host: string) =>
    postWebhook(new URL(`https://${host}:${port}/`), {}, '{}', {
      allowed: privately,
      resolve,
      signal: AbortSignal.timeout(5000),
    });
  assert.equal(await send('hooks.example'), 200);
  await assert.rejects(send('other.example'), /ERR_TLS_CERT_ALTNAME_INVALID/);
  assert.deepEqual(names, ['hooks.example']);
});

test('an origin that is no longer listed gets nothing', async (t) => {
  const store = await temporaryStore(t);
  const receiver = await startReceiver(t);
  const id = await endedJob(store, receiver.origin);
  // Another process may still list the origin, so nothing is claimed without any.
  const idle = deliver(t, store, []);
  await idle.close();
  const { until } = deliver(t, store, [`${receiver.origin}0`], { delaysMs: [] });
  assert.deepEqual(await until(1), ['abandoned']);
  const { attempts, lastError } = (await store.jobs.get(id))!.notify!;
  assert.deepEqual([attempts, lastError], [1, `WEBHOOK_ORIGINS does not list ${receiver.origin}.`]);
  assert.equal(receiver.received.length, 0);
});

test('an attempt without a response ends, and a long response is not read to its end', async (t) => {
  const silent = await startReceiver(t, () => {});
  const signal = AbortSignal.timeout(5000);
  const post = (origin: string, timeoutMs = 5000) =>
    postWebhook(new URL(origin), {}, '{}', { allowed: publicOnly, signal, timeoutMs });
  await assert.rejects(post(silent.origin, 20), /No response within 0.02 s/);
  const closed = Promise.withResolvers<void>();
  const endless = await startReceiver(t, (response) => {
    response.on('close', closed.resolve).writeHead(200).write(Buffer.alloc(65_536));
  });
  assert.equal(await post(endless.origin), 200);
  await closed.promise;
  const upgrading = await startReceiver(t, (response) => {
    response.writeHead(101, { connection: 'Upgrade', upgrade: 'websocket' }).flushHeaders();
  });
  await assert.rejects(post(upgrading.origin), /closed without a response/);
  const ended = Promise.withResolvers<() => Promise<void>>();
  const stopped = await startReceiver({ after: ended.resolve });
  await (await ended.promise)();
  await assert.rejects(post(stopped.origin), /ECONNREFUSED/);
});

test('a stop aborts attempts, and the next start repeats them', async (t) => {
  const store = await temporaryStore(t);
  const receiver = await startReceiver(t, (response, n) => void (n > 1 && response.writeHead(204).end()));
  const first = deliver(t, store, [receiver.origin]);
  const id = await endedJob(store, receiver.origin);
  await receiver.until(1);
  await first.close();
  assert.equal((await store.jobs.get(id))!.notify!.attempts, 0);
  assert.deepEqual(await deliver(t, store, [receiver.origin]).until(1), ['delivered']);
  assert.equal((await store.jobs.get(id))!.notify!.attempts, 1);
  assert.equal(receiver.received[0]!.headers['webhook-id'], receiver.received[1]!.headers['webhook-id']);
});

test('only public addresses are reachable, by the registries of IANA', () => {
  const reserved = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '::8.8.8.8',
    '64:ff9b::a00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '2001:db8::1',
    '2002:a00:1::1',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
  ];
  const open = [
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.32.0.1',
    '192.0.1.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
    '2001:4860::8888',
  ];
  assert.deepEqual(
    reserved.filter((address) => isReachable(address, publicOnly)),
    [],
  );
  assert.deepEqual(
    open.filter((address) => !isReachable(address, publicOnly)),
    [],
  );
  const allowed = toBlockList(['10.0.0.0/8', 'fd00::/8', '192.168.1.7']);
  const listed = ['10.9.9.9', '::ffff:10.9.9.9', 'fd12::1', '192.168.1.7'];
  assert.deepEqual(
    listed.filter((address) => !isReachable(address, allowed)),
    [],
  );
  assert.equal(isReachable('192.168.1.8', allowed), false);
});

test('the attempts extend over most of a day', () => {
  const hours = RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0) / 3_600_000;
  assert.ok(hours > 23 && hours < 24, `${hours} h`);
});

test('at most 16 messages are sent at once', async (t) => {
  let claims = 0;
  const receiver = await startReceiver(t, () => {});
  const url = `${receiver.origin}/`;
  const message = { jobId: 'job_1', messageId: 'm', attempts: 1, url, secret, body: '{"data":{}}' };
  const delivery = createWebhookDelivery({
    store: {
      events: { onCommitted() {} },
      webhooks: {
        async claim() {
          claims++;
          return message;
        },
        record: async () => {},
        nextDue: () => assert.fail('no further message is due'),
      },
    } as unknown as Store,
    origins: [receiver.origin],
    allowed: privately,
    onResult: assert.fail,
    log: { warn: assert.fail },
    onDefect: assert.ifError,
  });
  delivery.start();
  for (let n = 0; n < 50; n++) await setImmediate();
  assert.equal(claims, 16);
  await delivery.close();
});
