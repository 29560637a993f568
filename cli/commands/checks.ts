/** `atelier check`, `evaluate` and `calibrate`: gradients, and versions on the images of a split. */
import type { Evaluation } from '../../src/domain/checks/evaluation.ts';
import type { GradientCheck, GradientCheckEvent } from '../../src/domain/checks/gradient.ts';
import type { Calibration } from '../../src/domain/models/calibration.ts';
import { type Context, defineCommand, printResult } from '../command.ts';
import { ConnectionError, UsageError } from '../errors.ts';
import { readText } from '../files.ts';
import { readMessages } from '../follow/event-stream.ts';
import { parseJson } from '../json-file.ts';
import { versionPath } from '../references.ts';
import { formatFigure, formatTable } from '../text.ts';
import { buildForm, filePart } from '../upload/form.ts';
import { sendForm } from '../upload/send.ts';

const CHECKS_PATH = '/v1/gradient-checks';

const dataset = {
  type: 'string',
  value: 'ID',
  help: 'Data set; by default the one of the training',
} as const;
const split = {
  type: 'string',
  value: 'SPLIT',
  default: 'test',
  help: 'test, validation or train; test',
} as const;

export const check = defineCommand({
  summary: 'Check a gradient against finite differences',
  parameters: ['[name@version|request.json]'],
  options: {
    dataset,
    examples: { type: 'string', value: 'N', help: 'Number of training images; 5, or all if there are fewer' },
    sample: {
      type: 'string',
      value: 'N',
      help: 'Number of coordinates to check, or all; all, or with convolutions at most 1,000',
    },
    gradient: {
      type: 'string',
      value: 'FILE',
      help: 'Your own gradient, npy or npz, to compare with the right one',
    },
  },
  notes:
    'Checks a trained model, the body of POST /v1/gradient-checks in a file whose name ends with .json (- reads it\n' +
    'from the standard input), or without either the default network. The exit code is 1 if the check fails, or the\n' +
    'gradient of the file is wrong.',
  async run(context, [subject], { dataset, examples, sample, gradient }) {
    const isFile = subject === '-' || subject?.endsWith('.json');
    const request = {
      ...(isFile && parseJson(subject!, await readText(subject!))),
      ...(!isFile && subject !== undefined && { model: subject }),
      ...(dataset !== undefined && { dataset }),
      ...(examples !== undefined && { examples: toCount('examples', examples) }),
      ...(sample !== undefined && {
        coordinates: sample === 'all' ? sample : { sample: toCount('sample', sample) },
      }),
    };
    const result =
      gradient === undefined
        ? await followCheck(context, request)
        : await sendForm<GradientCheck>(
            context,
            CHECKS_PATH,
            buildForm([await filePart(`gradient=${gradient}`)], [`request=${JSON.stringify(request)}`]),
          );
    printResult(context, result, () => describeCheck(result));
    if (!result.passed) context.note(`The check failed: ${result.reason}. ${result.advice ?? ''}`.trimEnd());
    return result.passed && result.submitted?.agrees !== false ? 0 : 1;
  },
});

/** Shows the progress of a check. A lost connection or an interrupt ends the check. */
async function followCheck(
  { client, interrupted, showStatus }: Context,
  request: object,
): Promise<GradientCheck> {
  const response = await client.send(CHECKS_PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(request),
  });
  try {
    for await (const { data } of readMessages(response.body!)) {
      if (data === undefined) continue;
      const event = JSON.parse(data) as GradientCheckEvent;
      if (event.type === 'result') return event.data;
      if (event.type === 'error') throw new ConnectionError(`${event.data.message} (${event.data.code})`);
      const { done, coordinates } = event.data;
      showStatus(`${done.toLocaleString('en')} of ${coordinates.toLocaleString('en')} coordinates`);
    }
  } catch (error) {
    interrupted.throwIfAborted();
    // fetch reports a stream that is cut off as a TypeError.
    if (!(error instanceof TypeError)) throw error;
  } finally {
    showStatus('');
  }
  throw new ConnectionError('The service has stopped or the connection was lost before the check ended.');
}

function toCount(option: string, value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw new UsageError(`--${option} must be a whole number, but is ${value}.`);
}

function describeCheck({
  passed,
  blocks,
  relativeError,
  tolerance,
  coordinates,
  kinks,
  submitted,
}: GradientCheck): string {
  const rows = blocks.map((block) => [
    block.name,
    block.shape.join('×'),
    block.relativeError.toExponential(1),
    String(block.kinks),
    block.passed ? 'passed' : 'failed',
  ]);
  const result = `${passed ? 'Passed' : 'Failed'}: relative error ${relativeError.toExponential(1)}, tolerance ${tolerance}, ${coordinates} coordinates, ${kinks} at kinks.`;
  const table = formatTable([['BLOCK', 'SHAPE', 'ERROR', 'KINKS', 'RESULT'], ...rows]);
  return [table, result, ...(submitted ? ['', describeSubmitted(submitted)] : [])].join('\n');
}

function describeSubmitted({
  agrees,
  relativeError,
  triedAll,
  blocks,
}: NonNullable<GradientCheck['submitted']>): string {
  const show = (value: number | null) => value?.toExponential(1) ?? 'not finite';
  const rows = blocks.map(({ name, agrees, relativeError, largest }) => [
    name,
    show(relativeError),
    `[${largest.index.join(', ')}]`,
    largest.given?.toPrecision(4) ?? 'not finite',
    largest.right.toPrecision(4),
    agrees ? 'right' : 'wrong',
  ]);
  return [
    formatTable([['YOURS', 'ERROR', 'LARGEST', 'GIVEN', 'RIGHT', 'RESULT'], ...rows]),
    `Your gradient is ${agrees ? 'right' : 'wrong'}: ${relativeError === null ? 'some of its numbers are not finite' : `relative error ${show(relativeError)}`}.`,
    ...blocks.flatMap(({ hint }) => hint?.sentence ?? []),
    ...(triedAll ? [] : ['Not all mistakes were tried on the other blocks, because the network is large.']),
  ].join('\n');
}

export const evaluate = defineCommand({
  summary: 'Measure a version on all images of a split',
  parameters: ['name@version'],
  options: { dataset, split },
  notes: 'The first result on a test split counts as a look at it: docs/guides/inspecting-models.md.',
  async run(context, [reference], { dataset, split }) {
    const { client } = context;
    const query = new URLSearchParams({ split, ...(dataset !== undefined && { dataset }) });
    const path = await versionPath(client, reference!);
    const evaluation = await client.json<Evaluation>(`${path}/evaluation?${query}`);
    printResult(context, evaluation, () => describeEvaluation(evaluation));
    return 0;
  },
});

function describeEvaluation(evaluation: Evaluation): string {
  const { model, examples, split, dataset, loss, accuracy, accuracyInterval, classes } = evaluation;
  const rows = classes.map(({ className, precision, recall, f1, support }) => [
    className,
    ...[precision, recall, f1].map(formatFigure),
    String(support),
  ]);
  const { low, high } = accuracyInterval;
  return [
    `${model.name}@${model.version} on the ${examples} images of the ${split} split of ${dataset}:`,
    `accuracy ${formatFigure(accuracy)} (95 % interval ${formatFigure(low)} to ${formatFigure(high)}), loss ${formatFigure(loss)}`,
    formatTable([['CLASS', 'PRECISION', 'RECALL', 'F1', 'IMAGES'], ...rows]),
  ].join('\n');
}

export const calibrate = defineCommand({
  summary: 'Calibrate a version for predictions with --coverage or --calibrated',
  parameters: ['name@version'],
  options: { dataset, split },
  notes:
    'A version whose training held out validation images needs no command: it is calibrated on these,\n' +
    'and an import with a data set on the test images that it has measured.\n' +
    'The first use of test images counts as a look at them; of --split train, every second image is used.',
  async run(context, [reference], { dataset, split }) {
    const path = await versionPath(context.client, reference!);
    const calibration = await context.client.json<Calibration>(`${path}/calibration`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ dataset, split }),
    });
    printResult(context, calibration, () => describeCalibration(calibration));
    return 0;
  },
});

function describeCalibration(calibration: Calibration): string {
  const { images, split, dataset, reused, temperature, expectedCalibrationError, loss, warning } =
    calibration;
  const change = ({ before, after }: typeof loss) => `${formatFigure(before)} → ${formatFigure(after)}`;
  return [
    `Calibrated on ${images} images of the ${split} split of ${dataset}: temperature ${formatFigure(temperature)},`,
    `calibration error ${change(expectedCalibrationError)}, loss ${change(loss)}.`,
    ...(reused
      ? ['These images have also trained or chosen the version, so a coverage is approximate.']
      : []),
    ...(warning === null ? [] : [warning]),
  ].join('\n');
}
