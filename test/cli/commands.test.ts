/** The commands of the command line client, against a service with an API key. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { COMMANDS } from '../../cli/commands/index.ts';
import { formatApiKey, generateKey, sha256Bytes } from '../../src/domain/api-key.ts';
import type { Calibration } from '../../src/domain/models/calibration.ts';
import { npyBytes, parseNpy } from '../../src/formats/arrays/npy.ts';
import type { Predictions } from '../../src/protocols/native/schema.ts';
import { startService, temporaryDirectory, tiny } from '../support/start-service.ts';
import { run } from './run.ts';

const file = { after };
const key = generateKey();
const API_KEYS = formatApiKey({ name: 'cli', scopes: ['admin'], digest: sha256Bytes(key) });
const { app } = await startService(file, { API_KEYS });
const environment = { ATELIER_URL: await app.listen({ port: 0 }), ATELIER_KEY: key };
const folder = await temporaryDirectory(file);

const atelier = (...args: string[]) => run(args, environment);

async function recipe(name: string, body: object): Promise<string> {
  const path = join(folder, `${name}.json`);
  await writeFile(path, JSON.stringify(body));
  return path;
}

test("compares a user's gradient with the right one", async () => {
  const body = { dataset: 'fashion-mnist', network: { hidden: [3] } };
  const request = await recipe('check', body);
  const headers = { accept: 'application/x-npy', authorization: `Bearer ${key}` };
  const { rawPayload } = await app.inject({
    method: 'POST',
    url: '/v1/gradient-checks',
    payload: body,
    headers,
  });
  const gradient = join(folder, 'gradient.npy');
  await writeFile(gradient, rawPayload);
  const right = await atelier('check', request, '--gradient', gradient);
  assert.equal(right.code, 0, right.stderr);
  assert.match(
    right.stdout,
    /\nYOURS +ERROR +LARGEST +GIVEN +RIGHT +RESULT\nW1 .* right\n.*\nYour gradient is right: /s,
  );

  const values = (parseNpy(rawPayload).data as Float64Array).map((value) => -value);
  await writeFile(gradient, npyBytes(values, [values.length]));
  const wrong = await atelier('check', request, '--gradient', gradient, '--sample', '10');
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.stdout,
    /\nb2 .* wrong\nYour gradient is wrong: relative error 2\.0e\+0\.\nIn W1, the sign is wrong\.\n/,
  );
  await writeFile(gradient, npyBytes(values.fill(Number.NaN), [values.length]));
  const unknown = await atelier('check', request, '--gradient', gradient, '--sample', '10');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stdout, /\nYour gradient is wrong: some of its numbers are not finite\.\n/);
  assert.equal((await atelier('check', '--gradient', join(folder, 'none.npy'))).code, 2);
});

test('trains, follows, predicts, exports, imports and uploads', async () => {
  const path = await recipe(
    'mine',
    tiny({ modelName: 'mine', training: { epochs: 2, validation: { fraction: 0.8 } } }),
  );
  const trained = await atelier('train', path, '--follow');
  assert.equal(trained.code, 0, trained.stderr);
  assert.match(trained.stderr, /^warning: 38 steps: likely too few\. .*\n$/);
  const figure = String.raw`\d\.\d{4}`;
  assert.match(
    trained.stdout,
    new RegExp(
      `^job_\\w{26}\\n(status: queued\\n)?status: running\\n` +
        `epoch 1: loss ${figure}, .*\\nepoch 2: loss ${figure}, validation loss ${figure}, accuracy ${figure}, test accuracy ${figure}\\n` +
        `status: succeeded\\nPublished mine@1, test accuracy ${figure}\\. Best epoch: 2, with test accuracy ${figure}\\.\\nVersion 1 is served\\.\\n$`,
    ),
  );

  const image = join(folder, 'boot.png');
  const headers = { accept: 'image/png', authorization: `Bearer ${key}` };
  const boot = await app.inject({ url: '/v1/datasets/fashion-mnist/splits/test/images/0', headers });
  await writeFile(image, boot.rawPayload);
  const predicted = await atelier('predict', image, image, '--top', '2');
  assert.equal(predicted.code, 0, predicted.stderr);
  assert.match(
    predicted.stdout,
    new RegExp(`^(.*/boot\\.png: [\\w/ -]+ ${figure}, [\\w/ -]+ ${figure}\\n){2}$`),
  );

  const file = join(folder, 'mine.onnx');
  assert.equal((await atelier('export', 'mine', '--format', 'onnx', '-o', file)).stdout, `${file}\n`);
  const imported = await atelier('import', file, '--name', 'copy', '--field', 'dataset=fashion-mnist');
  assert.match(imported.stdout, new RegExp(`^copy@1, test accuracy ${figure}\\n$`));
  const digits = join(import.meta.dirname, '../fixtures/datasets/digits.npz');
  const uploaded = await atelier('upload', digits, '--name', 'Züge', '--field', 'seed=1', '--json');
  assert.equal(uploaded.code, 0, uploaded.stderr);
  assert.equal(JSON.parse(uploaded.stdout).name, 'Züge');
  const models = await atelier('models');
  assert.match(models.stdout, /^NEWEST VERSION .*\ncopy@1 .*\nmine@1 .*\n$/);

  const ambiguous = await atelier('predict', image);
  assert.equal(ambiguous.code, 2);
  assert.match(
    ambiguous.stderr,
    /^The service has several models, such as copy, mine\. Choose one with --model\.\n/,
  );
});

test('predicts with a coverage, and exits with 3 if a prediction is unsure and this matters', async () => {
  const images = join(folder, 'images.npy');
  const headers = { accept: 'application/x-npy', authorization: `Bearer ${key}` };
  const pixels = new Uint8Array(41 * 784).fill(90);
  for (let n = 0; n < 40; n++) {
    const image = await app.inject({ url: `/v1/datasets/fashion-mnist/splits/test/images/${n}`, headers });
    pixels.set(parseNpy(image.rawPayload).data as Uint8Array, n * 784);
  }
  await writeFile(images, npyBytes(pixels, [41, 28, 28]));
  const command = ['predict', images, '--model', 'mine', '--top', '2', '--coverage', '0.6'];
  const { predictions } = JSON.parse((await atelier(...command, '--json')).stdout) as Predictions;
  const { code, stdout, stderr } = await atelier(...command);
  assert.deepEqual([code, stderr], [0, '']);
  const lines = stdout.trimEnd().split('\n');
  const name = String.raw`[\w/-]+( boot)?`;
  const patterns = {
    sure: `(?!unsure)${name}`,
    'several-classes': `unsure: (${name}, )*${name} or ${name}`,
    'no-class': 'unsure: no class is likely enough',
    'unlike-training-images': 'unsure: unlike anything it was trained on',
  };
  for (const [reason, words] of Object.entries(patterns)) {
    const pattern = new RegExp(
      String.raw`images\.npy\[\d+\]: ${words} \(${name} \d\.\d{4}, ${name} \d\.\d{4}\)$`,
    );
    assert.deepEqual(
      lines.map((line) => pattern.test(line)),
      predictions.map(({ unsureBecause }) => (unsureBecause ?? 'sure') === reason),
      `${reason}\n${stdout}`,
    );
  }
  for (const reason of [null, 'several-classes', 'unlike-training-images']) {
    assert.ok(
      predictions.some(({ unsureBecause }) => unsureBecause === reason),
      `${reason} occurs`,
    );
  }
  assert.equal((await atelier(...command, '--strict')).code, 3);
  const sure = join(folder, 'sure.npy');
  const index = predictions.findIndex(({ unsure }) => !unsure);
  await writeFile(sure, npyBytes(pixels.slice(index * 784, (index + 1) * 784), [28, 28]));
  const options = ['--model', 'mine', '--calibrated', '--json'];
  const only = await atelier('predict', sure, ...options, '--coverage', '0.6', '--strict');
  assert.equal(only.code, 0, only.stderr);
  const calibrated = JSON.parse(only.stdout) as Predictions;
  assert.notEqual(calibrated.predictions[0]!.probability, predictions[index]!.probability);
  const file = join(folder, 'calibrated.onnx');
  const exported = await atelier('export', 'mine', '--format', 'onnx', '--calibrated', '-o', file);
  assert.equal(exported.stdout, `${file}\n`);
  assert.ok((await readFile(file)).includes('temperature'), 'the division is in the graph');
  assert.match((await atelier('predict', sure, '--strict')).stderr, /^--strict needs --coverage/);
});

test('calibrates a version, as the error of a version without calibration advises', async () => {
  const image = join(folder, 'boot.png');
  const training = { ...tiny().training, validation: null };
  await atelier('train', await recipe('unheld', tiny({ modelName: 'unheld', training })), '--follow');
  const options = ['--model', 'unheld', '--coverage', '0.9'];
  const { code, stderr } = await atelier('predict', image, ...options);
  assert.equal(code, 1);
  assert.match(stderr, / Calibrate it with npx atelier calibrate unheld@1\.\n$/);
  const { stdout } = await atelier('calibrate', 'unheld@1', '--split', 'train');
  assert.match(
    stdout,
    /^Calibrated on \d+ images of the train split of fashion-mnist: temperature \d\.\d{4},\ncalibration error 0\.\d{4} → 0\.\d{4}, loss \d\.\d{4} → \d\.\d{4}\.\nThese images .* approximate\.\n$/,
  );
  const predicted = await atelier('predict', image, ...options);
  assert.equal(predicted.code, 0, predicted.stderr);
  assert.match(predicted.stderr, /^The coverage is approximate: /);
  const again = await atelier('calibrate', 'unheld', '--json');
  assert.equal(again.code, 0, again.stderr);
  const tested = JSON.parse(again.stdout) as Calibration;
  assert.deepEqual([tested.split, tested.reused], ['test', false]);
});

test('shows a bar in a terminal', async () => {
  const path = await recipe('bar', tiny({ modelName: 'bar' }));
  const { code, stdout } = await run(['train', path, '--follow'], environment, true);
  assert.equal(code, 0);
  // The carriage return and the escape sequence that clear the line.
  const states = stdout.split('\r\x1B[K');
  assert.match(states.join('\n'), /^█{20} +100 % epoch 1\/1 · loss \d\.\d{4} · accuracy \d\.\d{4}/m);
  assert.match(states.at(-1)!, /^Published bar@1, test accuracy /);
});

test('prints JSON documents, one per line', async () => {
  const path = await recipe('json', tiny({ modelName: 'json' }));
  const { stdout } = await atelier('train', path, '--follow', '--json', '--priority=-3');
  const documents = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    documents.slice(0, -1).map(({ id }) => id),
    Array.from({ length: documents.length - 1 }, (_, index) => index + 1),
  );
  assert.equal(documents.at(-1).status, 'succeeded');
  assert.equal(documents.at(-1).priority, -3);
  const { id, publication, best } = documents.at(-1);
  const { body } = await app.inject({
    url: '/v1/models/json/versions/1',
    headers: { authorization: `Bearer ${key}` },
  });
  assert.equal(publication.testAccuracy, JSON.parse(body).testAccuracy);
  const figures = [publication, best].map(({ testAccuracy }) => testAccuracy.toFixed(4));
  const listed = await atelier('jobs', '--limit', '1');
  assert.match(
    listed.stdout,
    new RegExp(`ACCURACY +AT BEST EPOCH .*\\n${id} .* json +fashion-mnist +${figures.join(' +')} `),
  );
  const shown = await atelier('job', id);
  assert.match(
    shown.stdout,
    new RegExp(
      `^priority +-3\\n(.*\\n)*model +json@1, test accuracy ${figures[0]}\\nVersion 1 is served\\.$`,
      'm',
    ),
  );
  const job = JSON.parse((await atelier('job', documents.at(-1).id, '--json')).stdout);
  assert.equal(job.digest, documents.at(-1).digest);
  const { data } = JSON.parse(
    (await atelier('jobs', '--status', 'succeeded', '--limit', '1', '--json')).stdout,
  );
  assert.deepEqual(data, [job]);
});

test('a failed job has exit code 1 and its error on stderr', async () => {
  const optimizer = { type: 'sgd', learningRate: 100, weightDecay: 100 } as const;
  const training = { epochs: 1, batchSize: 64, optimizer, validation: { fraction: 0.8 } };
  const diverging = tiny({ network: { hidden: [] }, training });
  const { code, stderr } = await atelier('train', await recipe('diverging', diverging), '--follow');
  assert.equal(code, 1);
  assert.match(stderr, /\nThe job failed: .+ \(\S+\)\n$/);
});

test('errors of the service show the detail and a line per location', async () => {
  const wrong = await recipe('wrong', { dataset: 'fashion-mnist', training: { epoch: 3, batchSize: 'x' } });
  const { code, stdout, stderr } = await atelier('train', wrong);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^The body is invalid\.\n {2}#\/training\/batchSize: Must be a number, .*\n {2}#\/training\/epoch: Unknown field .*Did you mean `epochs`\?.*\n$/,
  );
  const problem = JSON.parse((await atelier('train', wrong, '--json')).stderr);
  assert.equal(problem.code, 'invalid-request');
  const anonymous = await run(['models'], { ATELIER_URL: environment.ATELIER_URL });
  assert.equal(anonymous.code, 1);
  assert.match(anonymous.stderr, /key/i);
});

test('an upload without test images names the option that holds some out', async () => {
  const digits = join(folder, 'untested.npy');
  await writeFile(digits, npyBytes(new Uint8Array(8 * 784), [8, 28, 28]));
  const labels = join(folder, 'untested-labels.npy');
  await writeFile(labels, npyBytes(Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1), [8]));
  const { code, stderr } = await atelier('upload', `train_images=${digits}`, `train_labels=${labels}`);
  assert.equal(code, 1);
  assert.match(stderr, /send test_images and test_labels, or --test-fraction 0\.2 to hold out/);
});

test('an invalid port is a wrong argument', async () => {
  for (const port of ['abc', '-1', '65536', '']) {
    const { code, stderr } = await atelier('serve', `--port=${port}`);
    assert.equal(code, 2);
    assert.match(stderr, /^--port must be a whole number from 0 to 65535, but is ".*"\./);
  }
});

test('a file that cannot be sent is named, and nothing is sent', async () => {
  const absent = join(folder, 'absent.png');
  const directory = join(folder, 'folder.png');
  await mkdir(directory);
  for (const command of [['predict', '--model', 'x'], ['import', '--name', 'x'], ['upload']]) {
    for (const [path, defect] of [
      [absent, `The file ${absent} does not exist.`],
      [
        directory,
        command[0] === 'upload' ? `The folder ${directory} has no files.` : `${directory} is not a file.`,
      ],
    ] as const) {
      const { code, stdout, stderr } = await run([...command, path], { ATELIER_URL: 'http://127.0.0.1:1' });
      assert.deepEqual([code, stdout, stderr.split('\n')[0]], [2, '', defect], command.join(' '));
    }
  }
});

test('predict names the file that the service rejects, and the option that resizes it', async () => {
  const large = join(folder, 'large.png');
  await writeFile(
    large,
    await sharp({ create: { width: 30, height: 40, channels: 3, background: 'red' } })
      .png()
      .toBuffer(),
  );
  const { code, stderr } = await atelier('predict', large, '--model', 'mine');
  assert.equal(code, 1);
  assert.equal(
    stderr,
    `${large}: The image has 30×40 pixels, but must have 28×28. Resize it before sending it, or set --fit contain.\n`,
  );
  const resized = await atelier('predict', large, '--model', 'mine', '--fit', 'contain');
  assert.equal(resized.code, 0, resized.stderr);
});

test('wrong arguments have exit code 2, and every command explains itself', async () => {
  const wrong = [
    [],
    ['trian'],
    ['train'],
    ['train', join(folder, 'absent.json')],
    ['models', '--limt', '3'],
    ['predict', 'image.gif'],
    ['predict', 'image.png', '--model', 'a@b@c'],
    ['import', 'model.npz'],
    ['export', 'mine@1'],
    ['models', '--url', 'ftp://localhost'],
    ['models', '--key', 'é'],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await atelier(...args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.notEqual(stderr, '');
  }
  assert.match((await atelier('trian')).stderr, /^Unknown command "trian"\. Did you mean train\?\n$/);
  assert.match((await atelier('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  for (const [name, load] of Object.entries(COMMANDS)) {
    const { code, stdout } = await atelier(name, '--help');
    assert.equal(code, 0);
    for (const option of Object.keys((await load()).options))
      assert.ok(stdout.includes(`--${option}`), `${name} --${option}`);
  }
});
