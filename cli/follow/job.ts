/** Follows a job on the terminal until it ends. */
import type { JobEvent, TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Context } from '../command.ts';
import { ResponseError } from '../errors.ts';
import { formatFigure, printable } from '../text.ts';
import { followEvents } from './event-stream.ts';
import { createProgressView } from './progress.ts';
import { describeServed } from './served-version.ts';

/**
 * Prints events, then the result; with `--json` every event and the job, one per line.
 * @returns the exit code: 0 succeeded, 1 failed or cancelled, 130 interrupted
 */
export async function followJob(context: Context, { id, training }: TrainingJob): Promise<number> {
  const { client, json, interrupted, columns, write, note } = context;
  const view = createProgressView(write, training.epochs, columns);
  const onLost = json ? () => {} : view.showLost;
  try {
    for await (const event of followEvents<JobEvent>(
      client,
      `/v1/training-jobs/${id}`,
      interrupted,
      onLost,
    )) {
      if (json) write(`${JSON.stringify(event)}\n`);
      else view.show(event);
    }
  } catch (error) {
    if (interrupted.aborted) {
      view.end();
      note(`The job continues. Cancel it with: npx atelier cancel ${id}`);
      return 130;
    }
    // The events of an old job may have been deleted; its result is still there.
    if (!(error instanceof ResponseError && error.status === 410)) throw error;
  } finally {
    if (!json) view.end();
  }
  const job = await client.json<TrainingJob>(`/v1/training-jobs/${id}`);
  const warnings = [...job.warnings.map(({ message }) => message), job.publication?.warning ?? []].flat();
  if (!json) for (const message of warnings) note(`warning: ${printable(message)}`);
  if (json) write(`${JSON.stringify(job)}\n`);
  else if (job.status === 'succeeded') {
    write(`${describeSuccess(job)}\n`);
    const served = job.model && (await describeServed(client, job.model));
    if (served) write(`${served}\n`);
  } else note(describeFailure(job));
  return job.status === 'succeeded' ? 0 : 1;
}

function describeSuccess({ model, publication, best }: TrainingJob): string {
  const published = model
    ? `Published ${describeVersion(model, publication)}.`
    : 'The job succeeded and published no model.';
  if (best === null) return published;
  const { epoch, testAccuracy, validationAccuracy, trainAccuracy } = best;
  if (testAccuracy !== null) {
    return `${published} Best epoch: ${epoch}, with test accuracy ${formatFigure(testAccuracy)}.`;
  }
  const name = validationAccuracy === null ? 'training' : 'validation';
  const accuracy = formatFigure(validationAccuracy ?? trainAccuracy);
  return `${published} Best epoch: ${epoch}, with ${name} accuracy ${accuracy}.`;
}

/** Name and accuracy of a published version: the last epoch, unless the training restored the best one. */
export function describeVersion(
  { name, version }: NonNullable<TrainingJob['model']>,
  publication: TrainingJob['publication'],
): string {
  const accuracy = publication?.testAccuracy ?? null;
  return `${name}@${version}${accuracy === null ? '' : `, test accuracy ${formatFigure(accuracy)}`}`;
}

function describeFailure({ status, error }: TrainingJob): string {
  return error ? `The job ${status}: ${error.message} (${error.code})` : `The job was ${status}.`;
}
