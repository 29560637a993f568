import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryDirectory } from '../../support/start-service.ts';
import { printed, problem, serveAnswers } from './answers.ts';

const folder = await temporaryDirectory({ after });
const [image, array] = [join(folder, 'boot.PNG'), join(folder, 'two.npy')];
await writeFile(image, 'image');
await writeFile(array, 'array');
const PATH = 'POST /v1/models/a/versions/2/predictions?topK=3';

const top = [
  { className: 'boot', probability: 0.75 },
  { className: 'bag\u0007', probability: 0.25 },
];
const answer = (unsureBecause?: string | null, ...classes: string[]) => ({
  top,
  unsureBecause,
  unsure: typeof unsureBecause === 'string',
  classes: classes.map((className) => ({ className })),
});

test('predict prints the classes of each image, and numbers the images of one file', async (t) => {
  const { atelier, requests } = await serveAnswers(t, { [PATH]: { predictions: [answer()] } });
  const classes = 'boot 0.7500, bag\uFFFD 0.2500';
  assert.equal(
    await printed(atelier('predict', image, array, '--model', 'a@2')),
    `${image}: ${classes}\n${array}: ${classes}\n`,
  );
  assert.deepEqual(
    requests.map(({ headers, body }) => [headers['content-type'], body]),
    [
      ['image/png', 'image'],
      ['application/x-npy', 'array'],
    ],
  );
  const both = await serveAnswers(t, { [PATH]: { predictions: [answer(), { ...answer(), top: null }] } });
  assert.equal(
    await printed(both.atelier('predict', array, '--model', 'a@2')),
    `${array}[0]: ${classes}\n${array}[1]: \n`,
  );
  const text = await both.atelier('predict', join(folder, 'boot.txt'));
  assert.match(text.stderr, /boot\.txt must end with \.png, \.jpg, \.jpeg, \.webp, \.npy\.\n/);
});

test('predict says what an answer with a coverage means, and exits with 3 if an unsure one matters', async (t) => {
  const predictions = [
    answer(null, 'boot'),
    answer('several-classes', 'boot', 'bag', 'shirt'),
    answer('no-class'),
    answer('unlike-training-images'),
  ];
  const path = `${PATH}&coverage=0.9`;
  const { atelier } = await serveAnswers(t, { [path]: { predictions, calibration: { reused: true } } });
  const args = ['predict', array, '--model', 'a@2', '--coverage', '0.9'];
  const { code, stdout, stderr } = await atelier(...args);
  const words = Array.from(stdout.matchAll(/\d\]: (.*) \(boot 0\.7500, /g), ([, answered]) => answered);
  assert.deepEqual(words, [
    'boot',
    'unsure: boot, bag or shirt',
    'unsure: no class is likely enough',
    'unsure: unlike anything it was trained on',
  ]);
  assert.equal(
    stderr,
    'The coverage is approximate: the calibration images have also trained or chosen the version.\n',
  );
  assert.equal(code, 0);
  assert.equal((await atelier(...args, '--strict')).code, 3);
  const sure = await serveAnswers(t, { [path]: { predictions: predictions.slice(0, 1) } });
  assert.deepEqual(await sure.atelier(...args, '--strict', '--json'), {
    code: 0,
    stdout: `${JSON.stringify({ file: array, predictions: predictions.slice(0, 1) })}\n`,
    stderr: '',
  });
});

test('predict sends its options, and without a coverage does not say how exact one is', async (t) => {
  const { atelier } = await serveAnswers(t, {
    'GET /v1/models?limit=5': { data: [{ name: 'only' }] },
    'POST /v1/models/only/predictions?topK=5&fit=cover&calibrated=true': {
      predictions: [answer()],
      calibration: { reused: true },
    },
  });
  const { code, stderr } = await atelier('predict', image, '--top', '5', '--fit', 'cover', '--calibrated');
  assert.deepEqual([code, stderr], [0, '']);
});

test('predict names the file of an error that it can cause, and the commands that help', async (t) => {
  for (const [status, code, detail, message] of [
    [422, 'shape', 'Wrong shape: set ?fit=contain.', `${image}: Wrong shape: set --fit contain.\n`],
    [404, 'absent', 'There is no model a.', 'There is no model a.\n'],
    [
      409,
      'not-calibrated',
      'Use POST /v1/models/a/versions/2/calibration.',
      'Use npx atelier calibrate a@2.\n',
    ],
    [
      409,
      'other',
      'Use POST /v1/models/a/versions/2/calibration.',
      'Use POST /v1/models/a/versions/2/calibration.\n',
    ],
  ] as const) {
    const { atelier } = await serveAnswers(t, { [PATH]: problem(status, code, detail) });
    assert.equal((await atelier('predict', image, '--model', 'a@2')).stderr, message);
  }
});
