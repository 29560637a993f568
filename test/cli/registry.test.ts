/** The command line client from a folder of images to a promoted version, against a service without keys. */
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { ModelVersion } from '../../src/domain/models/representation.ts';
import {
  endless,
  hasEnded,
  queueJob,
  startService,
  temporaryDirectory,
  tiny,
  untilJob,
} from '../support/start-service.ts';
import { run } from './run.ts';

const file = { after };
const { app } = await startService(file);
// Without a scheme, as curl accepts it.
const environment = { ATELIER_URL: (await app.listen({ port: 0 })).replace('http://', '') };
const folder = await temporaryDirectory(file);
const digits = join(import.meta.dirname, '../fixtures/datasets/digits.npz');
const figure = String.raw`\d\.\d{4}`;

const atelier = (...args: string[]) => run(args, environment);
/** Runs a command that must succeed. */
async function print(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await atelier(...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

test('uploads a folder of class folders with its fields, and shows the progress on a terminal', async () => {
  const images = join(folder, 'images');
  for (const [index, name] of ['dark', 'light'].entries()) {
    await mkdir(join(images, name), { recursive: true });
    for (let n = 0; n < 6; n++) {
      const background = { r: 150 * index + 5 * n, g: 0, b: 0 };
      const image = sharp({ create: { width: 40, height: 30 + n, channels: 3, background } }).png();
      await writeFile(join(images, name, `${n}.png`), await image.toBuffer());
    }
  }
  await writeFile(join(images, '.DS_Store'), '');
  await symlink('dark', join(images, 'link'));
  const options = [
    '--name',
    'lights',
    '--test-fraction',
    '0.5',
    '--fit',
    'stretch',
    '--invert=never',
    '--seed=3',
  ];
  const args = ['upload', images, ...options];
  const { code, stdout, stderr } = await run([...args, '--field', 'background=white'], environment, true);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^dst_[0-9a-f]{40}\n$/);
  assert.ok(stderr.includes(`Left out of ${images}: 1 hidden file and 1 link.\n`), stderr);
  assert.match(
    stderr,
    /32×32×3: The images have 6 different sizes, half of them 40 pixels .* 8 of 12 .* are in colour\. .*faster\.\n/,
  );
  assert.ok(stderr.includes('sent 0.0 MB, waiting for the checks\r\x1B[K'), stderr);
  const { body } = await app.inject(`/v1/datasets/${stdout.trim()}`);
  const { name, classNames, splits, preprocessing, report } = JSON.parse(body);
  assert.deepEqual([name, classNames], ['lights', ['dark', 'light']]);
  assert.deepEqual([splits.train.examples, splits.test.examples, report.heldOut.seed], [6, 6, 3]);
  assert.deepEqual(preprocessing, { fit: 'stretch', background: 'white', invert: 'never' });
  assert.match(
    await print('datasets'),
    new RegExp(`^DATA SET .*\\n${stdout.trim()} +lights +32×32×3 +2 +6 +- +6 `),
  );
  assert.equal(await print('delete', stdout.trim()), `Deleted the data set ${stdout}`.replace('\n', '.\n'));
});

test('uploads images in a requested shape, and shows it with the data set and its model', async () => {
  const images = join(folder, 'wide');
  for (const name of ['dark', 'light']) {
    await mkdir(join(images, name), { recursive: true });
    for (let n = 0; n < 6; n++) {
      const level = (name === 'light' ? 150 : 0) + 5 * n;
      const background = { r: level, g: level, b: level };
      const image = sharp({ create: { width: 20, height: 10, channels: 3, background } }).png();
      await writeFile(join(images, name, `${n}.png`), await image.toBuffer());
    }
  }
  const found = await atelier('upload', images, '--name', 'wide', '--test-fraction', '0.5');
  assert.equal(
    found.stderr.split('\n')[0],
    '10×20: All images have 20×10 pixels, and 0 of 12 that were looked at are in colour.',
  );
  const options = ['--name', 'square', '--test-fraction', '0.5', '--image-shape', '12x12x3'];
  const dataset = (await print('upload', images, ...options)).trim();
  assert.match(await print('datasets'), / square +12×12×3 +2 +6 +- +6 .*\n.* wide +10×20 +2 +6 +- +6 /);
  const rejected = await atelier('upload', images, '--image-shape', '12x12x4');
  assert.equal(rejected.code, 1);
  assert.match(rejected.stderr, /#\/imageShape: /);

  const recipe = join(folder, 'square.json');
  const network = { convolutions: [4], norm: 'group' };
  const training = { epochs: 1, batchSize: 2, standardize: true, validation: { fraction: 0.34 } };
  const publish = { evenIfNotLearned: true };
  await writeFile(recipe, JSON.stringify({ dataset, modelName: 'square', network, training, publish }));
  assert.match(await print('train', recipe, '--follow'), /Published square@1/);
  assert.match(
    await print('model', 'square@1'),
    /\ninput shape +12×12×3\nlayers +12×12×3-\(4\)-40-2\nnorm +group\nactivation +relu\nstandardized +yes\nclasses /,
  );
  const photo = join(images, 'light', '0.png');
  const predicted = await print('predict', photo, '--model', 'square', '--fit', 'stretch');
  assert.match(predicted, new RegExp(`^${photo}: (dark|light) ${figure}, `));
});

test('warns of few steps, trains with the suggested values, and promotes the better version', async () => {
  const dataset = (await print('upload', digits, '--name', 'Digits')).trim();
  const recipe = join(folder, 'recipe.json');
  await writeFile(recipe, JSON.stringify({ dataset, modelName: 'digits', training: { epochs: 2 } }));
  const first = await atelier('train', recipe, '--follow');
  assert.equal(
    first.stderr,
    'warning: 28 steps: likely too few. Suggested: epochs 40, batch size 16. ' +
      `Train with them: npx atelier train ${recipe} --suggested\n`,
  );
  assert.match(first.stdout, /\nPublished digits@1, .*\nVersion 1 is served\.\n$/);
  const second = await atelier('train', recipe, '--suggested', '--follow');
  assert.equal(second.stderr, 'Epochs 40, batch size 16, as suggested.\n');
  const better = new RegExp(
    `\\nVersion 1 is served\\. Version 2 is better: ${figure} against ${figure}\\. Serve it: npx atelier promote digits@2\\n$`,
  );
  assert.match(second.stdout, better);
  const [id] = second.stdout.split('\n');
  assert.match(await print('job', id!), better);
  assert.match(
    await print('jobs', '--limit', '1'),
    new RegExp(
      `^JOB .* DATA SET +ACCURACY +AT BEST EPOCH .*\\n${id} .* digits +Digits +${figure} +${figure} `,
    ),
  );

  const promoted = await atelier('promote', 'digits@2');
  assert.deepEqual(
    [promoted.stdout, promoted.stderr],
    ['digits@2 is served.\n', 'Undo it with: npx atelier rollback digits\n'],
  );
  assert.match(
    await print('model', 'digits'),
    /\ndigits@2 +champion +28×28 +784-40-7 .*\ndigits@1 +- +28×28 .*\ndigits@2 is served\.\n$/s,
  );
  assert.equal(await print('rollback', 'digits'), 'digits@1 is served.\n');
  const again = await atelier('train', recipe, '--follow');
  assert.match(
    again.stdout,
    /\nVersion 1 is served\. Version 3 does not differ by more than chance: .* digits@3\n$/,
  );
  await print('promote', 'digits@2');
  assert.match((await atelier('job', id!)).stdout, /\nVersion 2 is served\.\n$/);
  const worse = await atelier('train', recipe, '--follow');
  assert.match(worse.stdout, /\nVersion 2 is served\. Version 4 is worse: [\d.]+ against [\d.]+\.\n$/);

  assert.equal(await print('promote', 'digits@1', '--alias', 'old'), 'digits@old is version 1.\n');
  assert.match((await atelier('rollback', 'digits', '--alias', 'old')).stderr, /has had no other version\./);
  assert.match((await atelier('promote', 'digits')).stderr, /^The version is missing, as in digits@2\./);
  const version = JSON.parse(await print('model', 'digits@champion', '--json')) as ModelVersion;
  assert.equal(version.version, 2);
  assert.match(
    await print('model', 'digits@2'),
    new RegExp(
      `^version +digits@2\\naliases +champion\\n.*\\ntest accuracy +${version.testAccuracy!.toFixed(4)}\\n`,
      's',
    ),
  );
});

test('warns if a version without a calibration takes the place of a calibrated one', async () => {
  await print('calibrate', 'digits@2');
  const { stdout, stderr } = await atelier('promote', 'digits@1');
  assert.equal(stdout, 'digits@1 is served.\n');
  assert.match(
    stderr,
    /^warning: Version 1 has no calibration, unlike version 2\. .*\/1\/calibration\.\nUndo it /,
  );
  assert.deepEqual(
    [(await atelier('rollback', 'digits')).stderr, (await atelier('promote', 'digits@2')).stderr],
    ['', 'Undo it with: npx atelier rollback digits\n'],
  );
});

test('says so if the steps are enough, and starts the training unchanged', async () => {
  const recipe = join(folder, 'enough.json');
  const training = { epochs: 10, batchSize: 16, validation: { fraction: 0.8 } };
  await writeFile(
    recipe,
    JSON.stringify({ dataset: 'fashion-mnist', modelName: 'enough', training, testSet: 'once' }),
  );
  const { stdout, stderr } = await atelier('train', recipe, '--suggested', '--json');
  assert.equal(stderr, 'No other steps are suggested, so nothing is changed.\n');
  const job = JSON.parse(stdout) as TrainingJob;
  assert.deepEqual([job.training.epochs, job.training.batchSize], [10, 16]);
  await untilJob(app, job.id, hasEnded);
});

test('evaluates a version, and checks gradients', async () => {
  assert.match(
    await print('evaluate', 'digits', '--split', 'train'),
    new RegExp(
      `^digits@2 on the 948 images of the train split of dst_\\w+:\\naccuracy ${figure} \\(95 % interval ${figure} to ${figure}\\), loss ${figure}\\nCLASS +PRECISION .*\\n0( +${figure}){3} +133\\n`,
    ),
  );
  const checked = await print('check', 'digits@2', '--examples', '3', '--sample', '100');
  assert.match(checked, /^BLOCK .*\nW1 +40×784 .* passed\n.*\nPassed: relative error .* 100 coordinates, /s);
  const request = join(folder, 'check.json');
  await writeFile(request, JSON.stringify({ network: { hidden: [3] }, stepSize: 1e-12 }));
  const failed = await atelier('check', request);
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /\nFailed: relative error /);
  assert.match(failed.stderr, /^The check failed: [\w-]+\. .+\n$/);
  assert.equal((await atelier('check', '--examples', 'x')).code, 2);
});

test('trains a job again, and finds the same parameters', async () => {
  const { id } = await queueJob(app, tiny({ modelName: 'again' }));
  await untilJob(app, id, hasEnded);
  const lines = (await print('verify', id)).trimEnd().split('\n');
  assert.match(lines[0]!, /^job_\w{26}$/);
  assert.equal(lines.at(-1), `The parameters are those of ${id}, bit for bit.`);
  const repeated = JSON.parse(
    (await print('verify', id, '--json')).trimEnd().split('\n').at(-1)!,
  ) as TrainingJob;
  assert.equal(repeated.verification?.of, id);
  const { code, stderr } = await atelier('verify', `job_${'0'.repeat(26)}`);
  assert.equal(code, 1);
  assert.match(stderr, /does not exist|no job/);
});

test('pauses, resumes, cancels and deletes a job by its id', async () => {
  const { id } = await queueJob(app, endless);
  assert.match(await print('pause', id), /^The job is paus(ing|ed)\.\n$/);
  await untilJob(app, id, ({ status }) => status === 'paused');
  assert.equal(await print('resume', id), 'The job is queued.\n');
  assert.match((await atelier('delete', id)).stderr, /cancel/i);
  await print('cancel', id);
  await untilJob(app, id, hasEnded);
  assert.equal(await print('delete', id), `Deleted the job ${id}.\n`);
  assert.equal((await app.inject(`/v1/training-jobs/${id}`)).statusCode, 404);
});

test('shows, cancels and deletes a prediction job by its id', async () => {
  const payload = { model: 'enough', dataset: 'fashion-mnist', split: 'train' };
  const started = await app.inject({ method: 'POST', url: '/v1/prediction-jobs', payload });
  assert.equal(started.statusCode, 202, started.body);
  const { id } = started.json();
  assert.match(
    await print('job', id),
    /^prediction job +prd_\w+\n.*\nimages +6000 of the train split of fashion-mnist\n/s,
  );
  await atelier('cancel', id);
  assert.equal((await atelier('job', id, '--follow')).code, 2);
  assert.equal(await print('delete', id), `Deleted the prediction job ${id}.\n`);
});

test('deletes a version, and a whole model only if all versions are meant', async () => {
  assert.equal(await print('delete', 'digits@3'), 'Deleted the version digits@3.\n');
  const whole = await atelier('delete', 'digits');
  assert.equal(whole.code, 2);
  assert.match(whole.stderr, /^"digits" means a whole model\. .* digits@1, or all with --all-versions\.\n/);
  assert.equal((await atelier('delete', 'digits@2', '--all-versions')).code, 2);
  // A champion that a client has set protects its version.
  assert.match(
    (await atelier('delete', 'digits', '--all-versions')).stderr,
    /alias champion .* delete it\.\n$/,
  );
  for (const alias of ['champion', 'old']) {
    assert.equal(
      await print('delete', 'digits', '--alias', alias),
      `Deleted the alias ${alias} of digits.\n`,
    );
  }
  assert.equal(await print('delete', 'digits', '--all-versions'), 'Deleted the model digits.\n');
});

test('commands for jobs reject other references', async () => {
  for (const command of ['job', 'cancel', 'pause', 'resume']) {
    const { code, stderr } = await atelier(command, 'digits@1');
    assert.equal(code, 2);
    assert.match(stderr, /^The id of a job \(job_…\), .* but it is "digits@1"\.\n/);
  }
});

test('an import names classes that it numbers, and says how it can be evaluated', async () => {
  const file = join(import.meta.dirname, '../fixtures/formats/sklearn-relu.npz');
  const args = ['import', file, '--name', 'foreign', '--dataset', 'none'];
  assert.equal(await print(...args), 'foreign@1, class names 0…9, not evaluated: give --dataset\n');
  const names = ['--class-names', 'a,b,c,d,e,f,g,h,i,j', '--metadata', '{"by":"cli"}'];
  assert.equal(await print(...args, ...names), 'foreign@2, not evaluated: give --dataset\n');
  const { classNames, metadata } = JSON.parse(await print('model', 'foreign@2', '--json'));
  assert.deepEqual([classNames.join(''), metadata], ['abcdefghij', { by: 'cli' }]);
  const evaluated = await print('import', file, '--name', 'foreign', '--dataset', 'fashion-mnist');
  assert.match(evaluated, /^foreign@3, class names T-shirt\/top…Ankle boot, test accuracy \d\.\d{4}\n$/);
});
