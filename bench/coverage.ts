/**
 * Measures predictions with a coverage: on the test images of several data sets, which neither trained nor calibrated the
 * network, and on images of other things, for seeds 0, 1, … Prints a line of a table per seed, and writes nothing.
 * usage: node bench/coverage.ts [NAME …] [--seeds 5] [--epochs N]
 * NAME is a recipe, without its teachers and with validation images; by default all of VALIDATION.
 */
import { parseArgs } from 'node:util';
import { readBytes, readRecipe, trainVersion, uploadRecipeData } from '../scripts/recipes/requests.ts';
import { wholeArgument } from '../scripts/whole-argument.ts';
import { parseNpy } from '../src/formats/arrays/npy.ts';
import { calibration } from '../src/numerics/evaluation/calibration.ts';
import { PURPOSE, randomBits } from '../src/numerics/random.ts';
import { argmax } from '../src/numerics/reference/cross-entropy.ts';
import { processorSeconds } from './measure/processes.ts';
import { type Server, startAtelier, withState } from './measure/servers.ts';
import { enlarge, noise } from './measure/strangers.ts';

/** Draws of the labels of a network whose probabilities are right. */
const DRAWS = 200;
/** Fraction of the training images that calibrates each network. */
const VALIDATION = { 'notebook-best': 0.1, convolutional: 0.1, digits: 0.3, 'colour-shapes': 0.2 };
const [COVERAGES, TURNS] = [[0.8, 0.9, 0.95, 0.99], 5];
const DIGITS = `/v1/datasets/${readRecipe('digits').dataset}/splits/train/images?limit=10000`;
const HEAD =
  `| seed | accuracy | coverage (classes of a set) for ${COVERAGES.join(', ')} | unsure of own, digits, noise, inverted ` +
  '| calibration error, calibrated, of right probabilities | processor time of an image in µs, with coverage |\n|---|---|---|---|---|---|';
const fraction = (part: number, all: number) => (part / all).toFixed(3);
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '5' }, epochs: { type: 'string' } },
});

await withState(async (state) => {
  const server = await startAtelier(state, { TRAINING_WORKERS: '1' });
  try {
    await uploadRecipeData(server.url, 'digits');
    for (const [name, held] of Object.entries(VALIDATION)) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      if (name !== 'digits') await uploadRecipeData(server.url, name);
      console.log(`\n${name}\n\n${HEAD}`);
      for (let seed = 0; seed < wholeArgument('seeds', values.seeds); seed++)
        console.log(await measure(server, name, held, seed));
    }
  } finally {
    await server.stop();
  }
});

/** Trains, and returns a line of the table. */
async function measure({ url, pid }: Server, name: string, held: number, seed: number): Promise<string> {
  const { dataset, modelName, network, training } = readRecipe(name);
  const { distillation: _, ...alone } = { ...training, validation: { fraction: held } };
  if (values.epochs !== undefined) alone.epochs = wholeArgument('epochs', values.epochs);
  const request = { dataset, modelName, network, training: alone, seed, testSet: 'never' };
  const { path, version } = await trainVersion(url, request);
  const images = await readBytes(`${url}/v1/datasets/${dataset}/splits/test/images?limit=10000`);
  const labels = await readBytes(`${url}/v1/datasets/${dataset}/splits/test/labels`);
  const count = labels.length;
  const predict = async (query: string, pixels: Uint8Array) => {
    const headers = { 'content-type': 'application/octet-stream', accept: 'application/x-npy' };
    const body = Buffer.from(pixels);
    const response = await fetch(`${url}${path}/predictions?${query}`, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(await response.text());
    const { shape, data } = parseNpy(await response.bytes());
    const row = (n: number) => Float32Array.from(data.subarray(n * shape[1]!, (n + 1) * shape[1]!), Number);
    return Array.from({ length: shape[0]! }, (_, n) => row(n));
  };
  const microseconds = async (query: string) => {
    const before = processorSeconds(pid);
    for (let turn = 0; turn < TURNS; turn++) await predict(query, images);
    return ((1e6 * (processorSeconds(pid) - before)) / (TURNS * count)).toFixed(1);
  };
  const unsure = async (pixels: Uint8Array) => {
    const rows = await predict('coverage=0.95', pixels);
    return fraction(rows.filter((row) => row.at(-1)! > 0).length, rows.length);
  };
  const assess = async (query: string) => {
    const rows = await predict(query, images);
    const predicted = Uint8Array.from(rows, argmax);
    const confidences = Float32Array.from(rows, (row, n) => row[predicted[n]!]!);
    const correct = predicted.filter((label, n) => label === labels[n]).length;
    const { expectedError } = calibration({ labels, predicted, confidences });
    return [fraction(correct, count), expectedError.toFixed(4), rightError(confidences).toFixed(4)];
  };

  const coverages: string[] = [];
  for (const coverage of COVERAGES) {
    const rows = await predict(`coverage=${coverage}`, images);
    const covered = rows.filter((row, n) => row[labels[n]!] === 1).length;
    const sizes = rows.reduce((sum, row) => row.subarray(0, -1).reduce((size, each) => size + each, sum), 0);
    coverages.push(`${fraction(covered, count)} (${(sizes / count).toFixed(2)})`);
  }
  const fractions = [
    await unsure(images),
    name === 'digits' ? '–' : await unsure(enlarge(await readBytes(`${url}${DIGITS}`), version.inputShape)),
    await unsure(noise(version.inputShape, seed)),
    await unsure(images.map((value) => 255 - value)),
  ];
  const [[accuracy, error], [, calibrated, right]] = [await assess(''), await assess('calibrated=true')];
  const times = [await microseconds(''), await microseconds('coverage=0.95')];
  const cells = [coverages, fractions, [error, calibrated, right], times].map((each) => each.join(', '));
  return `| ${[seed, accuracy, ...cells].join(' | ')} |`;
}

/** Mean calibration error of as many images if each prediction is correct with a probability of its confidence. */
function rightError(confidences: Float32Array): number {
  const predicted = new Uint8Array(confidences.length);
  let sum = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    const labels = Uint8Array.from(confidences, (confidence, n) =>
      randomBits(draw, PURPOSE.shuffle, n, 0) / 2 ** 32 < confidence ? 0 : 1,
    );
    sum += calibration({ labels, predicted, confidences }).expectedError;
  }
  return sum / DRAWS;
}
