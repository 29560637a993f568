/** `atelier cancel`, `pause`, `resume` and `delete`: changes of what an id or a reference means. */
import { type Command, defineCommand, printResult } from '../command.ts';
import { UsageError } from '../errors.ts';
import { aliasPath, findResource, findRun, type Resource, wholeModelPath } from '../references.ts';

/** A repeated change is an error, such as the cancellation of a cancelled job. */
const repeatable = false;

function changeCommand(change: string, summary: string): Command {
  return defineCommand({
    summary,
    parameters: ['id'],
    options: {},
    async run(context, [id]) {
      const { noun, path } = findRun(id!);
      const options = { method: 'POST', repeatable };
      const changed = await context.client.json<{ status: string }>(`${path}/${change}`, options);
      printResult(context, changed, () => `The ${noun} is ${changed.status}.`);
      return 0;
    },
  });
}

export const cancel = changeCommand('cancel', 'Cancel a training job, a search or a prediction job');
export const pause = changeCommand('pause', 'Pause a training job, a search or a prediction job');
export const resume = changeCommand('resume', 'Continue a paused training job, search or prediction job');

export const remove = defineCommand({
  summary: 'Delete a job, a search, a data set, a version, a model or an alias',
  parameters: ['id|name@version'],
  options: {
    'all-versions': { type: 'boolean', help: 'Delete the model of this name with all its versions' },
    alias: { type: 'string', value: 'ALIAS', help: 'Delete only this alias of the model of this name' },
  },
  notes:
    'What is in use, or has not ended, is not deleted. The key needs the scope admin; for an alias, promote.',
  async run(context, [reference], values) {
    const { noun, path } = findDeleted(reference!, values);
    await context.client.send(path, { method: 'DELETE', repeatable });
    printResult(context, { deleted: reference, noun }, () => `Deleted the ${noun} ${reference}.`);
    return 0;
  },
});

interface DeleteValues {
  readonly 'all-versions'?: boolean | undefined;
  readonly alias?: string | undefined;
}

/** The name of a model may look like an id: by default, a model has the id of its data set as its name. */
function findDeleted(reference: string, { 'all-versions': isWhole, alias }: DeleteValues): Resource<string> {
  if (alias !== undefined) return { noun: `alias ${alias} of`, path: aliasPath(reference, alias) };
  if (isWhole) return { noun: 'model', path: wholeModelPath(reference) };
  const found = findResource(reference);
  if (found.noun !== 'model') return found;
  throw new UsageError(
    `"${reference}" means a whole model. Delete one version, as in ${reference}@1, or all with --all-versions.`,
  );
}
