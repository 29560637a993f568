/** `atelier train`: starts a training job, and follows it on request. */
import { randomUUID } from 'node:crypto';
import type { TrainingPreview } from '../../src/domain/jobs/preview.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { type Context, defineCommand } from '../command.ts';
import { UsageError } from '../errors.ts';
import { readText } from '../files.ts';
import { followJob } from '../follow/job.ts';
import { parseJson } from '../json-file.ts';

const JOBS = '/v1/training-jobs';
const PREVIEW = `${JOBS}/preview`;
const JSON_BODY = { 'content-type': 'application/json' };
/** A preview times steps, so it is requested for short trainings only. The service decides what is too short. */
const SHORT_STEPS = 1000;

interface Recipe {
  readonly training?: object;
}

export const train = defineCommand({
  summary: 'Start a training job',
  parameters: ['recipe.json'],
  options: {
    follow: { type: 'boolean', help: 'Show the progress until the job ends' },
    suggested: { type: 'boolean', help: 'Use the suggested epochs and batch size if the steps are too few' },
    priority: { type: 'string', help: 'From -10 to 10, instead of the recipe’s' },
  },
  notes:
    'A recipe is the body of POST /v1/training-jobs, such as examples/recipes/small.json; - reads it from the\n' +
    'standard input. With --follow the exit code is 0 if the job succeeded and 1 if it failed or was cancelled.\n' +
    'Ctrl-C leaves the job running, and exits with 130.',
  async run(context, [path], { follow, priority, suggested }) {
    const { client, json, interrupted, write, note } = context;
    const text = await readText(path!);
    const recipe = parseJson(path!, text);
    const changes = {
      ...(priority !== undefined && { priority: parsePriority(priority) }),
      ...(suggested && { training: await suggestTraining(context, recipe) }),
    };
    const body = Object.keys(changes).length === 0 ? text : JSON.stringify({ ...recipe, ...changes });
    let created: TrainingJob;
    try {
      created = await client.json<TrainingJob>(JOBS, {
        ...post(body),
        // A request that is sent again after a lost connection starts no second job.
        headers: { ...JSON_BODY, 'idempotency-key': randomUUID() },
      });
    } catch (error) {
      if (interrupted.aborted) note('Interrupted. Whether a job has started shows: npx atelier jobs');
      throw error;
    }
    if (created.progress.steps < SHORT_STEPS) await warnOfFewSteps(context, path!, body);
    if (follow) {
      if (!json) write(`${created.id}\n`);
      return followJob(context, created);
    }
    write(`${json ? JSON.stringify(created) : created.id}\n`);
    if (!json) note(`The job is ${created.status}. Follow it with: npx atelier job ${created.id} --follow`);
    return 0;
  },
});

const post = (body: string) => ({ method: 'POST', headers: JSON_BODY, body });

/** @returns the options of the training with the suggested values, unchanged if it has enough steps */
async function suggestTraining({ client, note }: Context, recipe: Recipe): Promise<object> {
  const { suggested } = await client.json<TrainingPreview>(PREVIEW, post(JSON.stringify(recipe)));
  if (suggested === null) note('No other steps are suggested, so nothing is changed.');
  else note(`Epochs ${suggested.epochs}, batch size ${suggested.batchSize}, as suggested.`);
  return { ...recipe.training, ...suggested };
}

/** The job has started, so a preview that fails is not an error. */
async function warnOfFewSteps({ client, note }: Context, path: string, body: string): Promise<void> {
  const preview = await client
    .attempt(PREVIEW, post(body))
    .then((response) => response.json() as Promise<TrainingPreview>)
    .catch(() => null);
  const warning = preview?.warnings.find(({ code }) => code === 'few-steps');
  if (warning) note(`warning: ${warning.message} Train with them: npx atelier train ${path} --suggested`);
}

function parsePriority(priority: string): number {
  if (/^-?\d+$/.test(priority)) return Number(priority);
  throw new UsageError(`--priority must be an integer, but is ${priority}.`);
}
