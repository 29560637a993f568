/** Gradient checks of networks with convolutions, through the service. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { GradientCheck, GradientCheckEvent } from '../../../src/domain/checks/gradient.ts';
import { parseNpy } from '../../../src/formats/arrays/npy.ts';
import { assertProblem, startService } from '../../support/start-service.ts';

const { app } = await startService({ after }, {});
await app.listen({ port: 0 });

const network = { convolutions: [[4], [8, 8]], hidden: [12], norm: 'group', init: 'he' };
const post = (payload: object, accept = 'application/json') =>
  app.inject({ method: 'POST', url: '/v1/gradient-checks', payload, headers: { accept } });

async function check(body: object): Promise<GradientCheck> {
  const response = await post(body);
  assert.equal(response.statusCode, 200, response.body);
  return response.json();
}

test('a network with convolutions is checked in a sample of every block by default', async () => {
  const { passed, reason, coordinates, stepSize, kernel, blocks } = await check({ network });
  assert.deepEqual(
    { passed, reason, coordinates, stepSize },
    { passed: true, reason: null, coordinates: 1000, stepSize: 1e-6 },
  );
  assert.deepEqual(
    blocks.map(({ name, shape }) => [name, ...shape].join(' ')),
    [
      ...['K1 4 1 3 3', 'c1 4', 'gamma1 4', 'beta1 4', 'K2 8 4 3 3', 'c2 8', 'gamma2 8', 'beta2 8'],
      ...['K3 8 8 3 3', 'c3 8', 'gamma3 8', 'beta3 8', 'W1 12 392', 'b1 12', 'W2 10 12', 'b2 10'],
    ],
  );
  for (const block of blocks) assert.ok(block.coordinates > 3 && block.passed, block.name);
  assert.ok(kernel!.maxRelativeDifference > 0 && kernel!.maxRelativeDifference < 1e-5);
});

test('all coordinates of a network with convolutions can be checked, and its gradient returned', async () => {
  const body = { network: { convolutions: [[4]], hidden: [] }, coordinates: 'all', examples: 1 };
  const { passed, coordinates } = await check(body);
  assert.deepEqual([passed, coordinates], [true, 40 + 4 * 196 * 10 + 10]);
  const { shape } = parseNpy((await post(body, 'application/x-npy')).rawPayload);
  assert.deepEqual(shape, [coordinates]);
});

test('a check of a network with convolutions that takes too long is rejected, with a sample that does not', async () => {
  const body = {
    network: {
      convolutions: [
        [32, 32],
        [64, 64],
      ],
      hidden: [64],
    },
    coordinates: 'all',
  };
  const problem = assertProblem(await post(body), 422, 'check-too-costly', '#/coordinates');
  const sample = Number(/"sample": (\d+)/.exec(problem.detail)![1]);
  assert.ok(sample > 11 && sample < 1000, problem.detail);
  assert.equal((await check({ ...body, coordinates: { sample } })).coordinates, sample);
});

test('conflicts between convolutions, norm and images are refused as for a training', async () => {
  for (const [changes, place] of [
    [{ convolutions: [6] }, '#/network/convolutions'],
    [{ convolutions: [] }, '#/network/norm'],
  ] as const) {
    assertProblem(await post({ network: { ...network, ...changes } }), 422, 'impossible-request', place);
  }
});

test('a streamed check ends with the report of a plain one', async () => {
  const body = { network: { convolutions: [[8]], hidden: [] }, coordinates: 'all', examples: 3, seed: 1 };
  const response = await post(body, 'text/event-stream');
  assert.equal(response.statusCode, 200, response.body);
  assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
  const message = response.body.trim().split('\n\n').at(-1)!;
  const [, id, json] = /^(?:retry: .*\n)?id: (\d+)\nevent: result\ndata: (.*)$/.exec(message)!;
  const event = JSON.parse(json!) as GradientCheckEvent;
  assert.deepEqual([String(event.id), event.type], [id, 'result']);
  const plain = await check(body);
  assert.deepEqual({ ...event.data, durationMs: 0 }, { ...plain, durationMs: 0 });
});

test('a check that streams its progress is rejected beyond its own limit, and for the reasons of a plain one', async () => {
  const network = {
    convolutions: [
      [32, 32],
      [64, 64],
    ],
    hidden: [256],
  };
  const all = { network, coordinates: 'all', examples: 1 };
  const short = assertProblem(await post(all), 422, 'check-too-costly', '#/coordinates');
  assert.match(short.detail, /"Accept: text\/event-stream" computes all of it/);
  const body = { ...all, examples: 5 };
  const streamed = await post(body, 'text/event-stream');
  const problem = assertProblem(streamed, 422, 'check-too-costly', '#/coordinates');
  assert.doesNotMatch(problem.detail, /event-stream/);
  assertProblem(await post({ model: 'none' }, 'text/event-stream'), 422, 'unknown-model', '#/model');
});
