import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../run.ts';
import { printed, problem, serveAnswers } from './answers.ts';

const CHECKS = 'POST /v1/gradient-checks';
const CHECK = {
  passed: true,
  relativeError: 1.26e-9,
  tolerance: 1e-6,
  coordinates: 2000,
  kinks: 3,
  blocks: [
    { name: 'W1', shape: [784, 3], relativeError: 2e-9, kinks: 3, passed: true },
    { name: 'b1', shape: [3], relativeError: 0.5, kinks: 0, passed: false },
  ],
};
const stream = (...events: object[]) => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  body: events.map((event) => `: comment\n\ndata: ${JSON.stringify(event)}\n\n`).join(''),
});
const progress = { type: 'progress', data: { done: 1000, coordinates: 2000 } };

test('check shows its progress, then a line per block and the result', async (t) => {
  const { requests, environment } = await serveAnswers(t, {
    [CHECKS]: stream(progress, { type: 'result', data: CHECK }),
  });
  const args = ['check', 'digits@1', '--dataset', 'dst_1', '--examples', '7', '--sample', '20'];
  const { code, stdout, stderr } = await run(args, environment, true);
  assert.equal(code, 0);
  assert.equal(
    stdout,
    'BLOCK  SHAPE  ERROR   KINKS  RESULT\nW1     784×3  2.0e-9  3      passed\n' +
      'b1     3      5.0e-1  0      failed\n' +
      'Passed: relative error 1.3e-9, tolerance 0.000001, 2000 coordinates, 3 at kinks.\n',
  );
  assert.equal(stderr, '\r\u001B[K1,000 of 2,000 coordinates\r\u001B[K');
  assert.deepEqual(JSON.parse(requests[0]!.body), {
    model: 'digits@1',
    dataset: 'dst_1',
    examples: 7,
    coordinates: { sample: 20 },
  });
  await run(['check', '--sample', 'all'], environment);
  assert.equal(requests[1]!.body, '{"coordinates":"all"}');
  assert.match(
    (await run(['check', '--examples', '7x'], environment)).stderr,
    /^--examples must be a whole number, but is 7x\.\n/,
  );
});

test('a check that fails, or a wrong gradient of the user, exits with 1', async (t) => {
  const failed = { ...CHECK, passed: false, reason: 'the error is large', advice: null };
  const submitted = { agrees: false, relativeError: null, blocks: [] };
  for (const [result, code, note] of [
    [failed, 1, 'The check failed: the error is large.\n'],
    [{ ...failed, advice: 'Use tanh.' }, 1, 'The check failed: the error is large. Use tanh.\n'],
    [{ ...CHECK, submitted }, 1, ''],
    [{ ...CHECK, submitted: { ...submitted, agrees: true, relativeError: 0 } }, 0, ''],
  ] as const) {
    const { atelier } = await serveAnswers(t, { [CHECKS]: stream({ type: 'result', data: result }) });
    const { code: exitCode, stderr } = await atelier('check');
    assert.deepEqual([exitCode, stderr], [code, note]);
  }
});

test('a check that the service ends early is an error with its reason, if it gives one', async (t) => {
  const error = { type: 'error', data: { message: 'The service stops.', code: 'stopping' } };
  for (const [events, message] of [
    [[progress, error], 'The service stops. (stopping)\n'],
    [[progress], 'The service has stopped or the connection was lost before the check ended.\n'],
  ] as const) {
    const { atelier } = await serveAnswers(t, { [CHECKS]: stream(...events) });
    assert.deepEqual(await atelier('check'), { code: 1, stdout: '', stderr: message });
  }
});

test('evaluate prints the figures of all images and of each class, of a split and a data set', async (t) => {
  const evaluation = {
    model: { name: 'digits', version: 2 },
    examples: 30,
    split: 'train',
    dataset: 'dst_1',
    loss: 0.25,
    accuracy: 0.9,
    accuracyInterval: { low: 0.8, high: 0.95 },
    classes: [{ className: 'one', precision: 0.5, recall: null, f1: 0.125, support: 30 }],
  };
  const { atelier, requests } = await serveAnswers(t, {
    'GET /v1/models/digits': { aliases: { champion: 2 }, latest: { version: 3 } },
    'GET /v1/models/digits/versions/2/evaluation?split=test': problem(409, 'x', 'There are no test images.'),
    'GET /v1/models/digits/versions/2/evaluation?split=train&dataset=dst_1': evaluation,
  });
  const stdout = await printed(atelier('evaluate', 'digits', '--split', 'train', '--dataset', 'dst_1'));
  assert.equal(
    stdout,
    'digits@2 on the 30 images of the train split of dst_1:\n' +
      'accuracy 0.9000 (95 % interval 0.8000 to 0.9500), loss 0.2500\n' +
      'CLASS  PRECISION  RECALL  F1      IMAGES\none    0.5000     -       0.1250  30\n',
  );
  assert.equal((await atelier('evaluate', 'digits')).stderr, 'There are no test images.\n');
  assert.equal(requests.length, 4);
});

test('calibrate prints the changes, and what limits the calibration', async (t) => {
  const calibration = {
    images: 20,
    split: 'test',
    dataset: 'dst_1',
    reused: false,
    temperature: 1.5,
    expectedCalibrationError: { before: 0.25, after: 0.125 },
    loss: { before: 0.5, after: 0.375 },
    warning: null,
  };
  const path = 'POST /v1/models/digits/versions/2/calibration';
  const text =
    'Calibrated on 20 images of the test split of dst_1: temperature 1.5000,\n' +
    'calibration error 0.2500 → 0.1250, loss 0.5000 → 0.3750.\n';
  const first = await serveAnswers(t, { [path]: calibration });
  assert.equal(await printed(first.atelier('calibrate', 'digits@2')), text);
  assert.equal(first.requests[0]!.body, '{"split":"test"}');
  const second = await serveAnswers(t, { [path]: { ...calibration, reused: true, warning: 'Few images.' } });
  assert.equal(
    await printed(second.atelier('calibrate', 'digits@2')),
    `${text}These images have also trained or chosen the version, so a coverage is approximate.\nFew images.\n`,
  );
});
