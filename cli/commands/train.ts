/** `atelier train`: starts a training job, and follows it on request. */
import { randomUUID } from 'node:crypto';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../errors.ts';
import { readText } from '../files.ts';
import { followJob } from '../follow/job.ts';
import { parseJson } from '../json-file.ts';

export const train = defineCommand({
  summary: 'Start a training job',
  parameters: ['recipe.json'],
  options: {
    follow: { type: 'boolean', help: 'Show the progress until the job ends' },
    priority: { type: 'string', help: 'From -10 to 10, instead of the recipe’s' },
  },
  notes:
    'A recipe is the body of POST /v1/training-jobs, such as examples/recipes/small.json; - reads it from the\n' +
    'standard input. With --follow the exit code is 0 if the job succeeded and 1 if it failed or was cancelled.\n' +
    'Ctrl-C leaves the job running, and exits with 130.',
  async run(context, [path], { follow, priority }) {
    const { client, json, interrupted, write, note } = context;
    const recipe = await readText(path!);
    const parsed = parseJson(path!, recipe);
    let created: TrainingJob;
    try {
      created = await client.json<TrainingJob>('/v1/training-jobs', {
        method: 'POST',
        // A request that is sent again after a lost connection starts no second job.
        headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        body: priority === undefined ? recipe : withPriority(parsed, priority),
      });
    } catch (error) {
      if (interrupted.aborted) note('Interrupted. Whether a job has started shows: npx atelier jobs');
      throw error;
    }
    if (follow) {
      if (!json) write(`${created.id}\n`);
      return followJob(context, created);
    }
    write(`${json ? JSON.stringify(created) : created.id}\n`);
    if (!json) note(`The job is ${created.status}. Follow it with: npx atelier job ${created.id} --follow`);
    return 0;
  },
});

function withPriority(recipe: object, priority: string): string {
  if (!/^-?\d+$/.test(priority)) throw new UsageError(`--priority must be an integer, but is ${priority}.`);
  return JSON.stringify({ ...recipe, priority: Number(priority) });
}
