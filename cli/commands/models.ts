/** `atelier models` and `model`: the registry. */
import type { Model, ModelVersion } from '../../src/domain/models/representation.ts';
import { defineCommand, printResult } from '../command.ts';
import { type ModelPage, modelPath, servedVersion } from '../references.ts';
import { formatFigure, formatShape, formatTable, formatTime } from '../text.ts';

const limit = {
  type: 'string',
  value: 'N',
  default: '20',
  help: 'Largest number of lines, up to 100; 20',
} as const;

export const models = defineCommand({
  summary: 'List models',
  parameters: [],
  options: { limit },
  async run(context, _parameters, { limit }) {
    const page = await context.client.json<ModelPage>(`/v1/models?${new URLSearchParams({ limit })}`);
    const rows = page.data.map(({ name, latest, aliases }) => [
      `${name}@${latest.version}`,
      Object.entries(aliases)
        .map(([alias, version]) => `${alias}=${version}`)
        .join(' ') || '-',
      latest.layers,
      formatFigure(latest.testAccuracy),
      formatTime(latest.createdAt),
    ]);
    const heading = ['NEWEST VERSION', 'ALIASES', 'LAYERS', 'ACCURACY', 'CREATED (UTC)'];
    printResult(context, page, () => formatTable([heading, ...rows]));
    return 0;
  },
});

export const model = defineCommand({
  summary: 'Show the versions of a model, or one version',
  parameters: ['name[@version]'],
  options: { limit },
  async run(context, [reference], { limit }) {
    const { client, json } = context;
    const path = modelPath(reference!);
    if (reference!.includes('@')) {
      const version = await client.json<ModelVersion>(path);
      printResult(context, version, () => describeVersion(version));
      return 0;
    }
    const found = await client.json<Model>(path);
    const query = new URLSearchParams({ limit });
    const { data } = json
      ? { data: [] }
      : await client.json<{ data: ModelVersion[] }>(`${path}/versions?${query}`);
    const rows = data.map((each) => [
      `${each.name}@${each.version}`,
      each.aliases.join(' ') || '-',
      formatShape(each.inputShape),
      each.layers,
      formatFigure(each.testAccuracy),
      formatTime(each.createdAt),
    ]);
    const heading = ['VERSION', 'ALIASES', 'INPUT', 'LAYERS', 'ACCURACY', 'CREATED (UTC)'];
    const served = `${found.name}@${servedVersion(found)} is served.`;
    printResult(context, found, () => `${formatTable([heading, ...rows])}\n${served}`);
    return 0;
  },
});

function describeVersion(shown: ModelVersion): string {
  const { lineage } = shown;
  const rows: [string, string | null][] = [
    ['version', `${shown.name}@${shown.version}`],
    ['aliases', shown.aliases.join(' ') || null],
    ['description', shown.description],
    ['input shape', formatShape(shown.inputShape)],
    ['layers', shown.layers],
    ['norm', shown.norm === 'none' ? null : shown.norm],
    ['activation', shown.activation],
    ['standardized', shown.standardization && 'yes'],
    ['classes', shown.classNames.join(', ')],
    ['test accuracy', formatFigure(shown.testAccuracy)],
    ['data set', lineage.dataset?.id ?? null],
    ['source', lineage.jobId ?? lineage.source],
    ['digest', shown.digest],
    ['created', formatTime(shown.createdAt)],
  ];
  return formatTable(rows.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}
