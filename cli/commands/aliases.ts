/** `atelier promote` and `rollback`: which version of a model is served. */
import type { Alias, AliasMove } from '../../src/domain/models/alias.ts';
import type { ModelVersion } from '../../src/domain/models/representation.ts';
import { type Context, defineCommand, printResult } from '../command.ts';
import { UsageError } from '../errors.ts';
import { aliasPath, modelPath, wholeModelPath } from '../references.ts';
import { printable } from '../text.ts';

const CHAMPION = 'champion';
const alias = {
  type: 'string',
  value: 'ALIAS',
  default: CHAMPION,
  help: 'Alias to move: champion, which is served, or another',
} as const;

/** Points an alias at a version, and prints it. */
async function move(
  context: Context,
  name: string,
  { alias, version }: Pick<Alias, 'alias' | 'version'>,
  headers: Record<string, string> = {},
): Promise<void> {
  const moved = await context.client.json<Alias>(aliasPath(name, alias), {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ version }),
  });
  if (!context.json && moved.warning !== undefined) context.note(`warning: ${printable(moved.warning)}`);
  printResult(context, moved, () =>
    alias === CHAMPION ? `${name}@${version} is served.` : `${name}@${alias} is version ${version}.`,
  );
}

export const promote = defineCommand({
  summary: 'Serve a version: make it the champion of its model',
  parameters: ['name@version'],
  options: { alias },
  async run(context, [reference], { alias }) {
    const path = modelPath(reference!);
    const [name, version] = reference!.split('@') as [string, string?];
    if (version === undefined) {
      throw new UsageError(
        `The version is missing, as in ${name}@2. They are listed by: npx atelier model ${name}`,
      );
    }
    const found = await context.client.json<ModelVersion>(path);
    await move(context, name, { alias, version: found.version });
    if (!context.json && alias === CHAMPION) context.note(`Undo it with: npx atelier rollback ${name}`);
    return 0;
  },
});

export const rollback = defineCommand({
  summary: 'Serve the version that was served before the last promotion',
  parameters: ['name'],
  options: { alias },
  notes: 'A second rollback undoes the first. If the alias is moved meanwhile, nothing is changed.',
  async run(context, [name], { alias }) {
    const { client } = context;
    // The tag is read first: it proves that the history ends with the move that is undone.
    const tag = (await client.send(aliasPath(name!, alias))).headers.get('etag')!;
    const { history } = await client.json<{ history: { data: AliasMove[] } }>(
      `${wholeModelPath(name!)}/aliases?limit=100`,
    );
    const previous = history.data.find((each) => each.alias === alias)?.previousVersion;
    if (previous == null) {
      throw new UsageError(`The alias ${alias} of ${name} has had no other version.`);
    }
    await move(context, name!, { alias, version: previous }, { 'if-match': tag });
    return 0;
  },
});
