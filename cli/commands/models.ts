/** `atelier models`: the registry. */
import { defineCommand, printResult } from '../command.ts';
import type { ModelPage } from '../references.ts';
import { formatFigure, formatTable, formatTime } from '../text.ts';

export const models = defineCommand({
  summary: 'List models',
  parameters: [],
  options: {
    limit: { type: 'string', value: 'N', default: '20', help: 'Largest number of models, up to 100; 20' },
  },
  async run(context, _parameters, { limit }) {
    const page = await context.client.json<ModelPage>(`/v1/models?${new URLSearchParams({ limit })}`);
    const rows = page.data.map(({ name, latest, aliases }) => [
      `${name}@${latest.version}`,
      Object.entries(aliases)
        .map(([alias, version]) => `${alias}=${version}`)
        .join(' ') || '-',
      latest.layerSizes.join('-'),
      formatFigure(latest.testAccuracy),
      formatTime(latest.createdAt),
    ]);
    const heading = ['NEWEST VERSION', 'ALIASES', 'LAYERS', 'ACCURACY', 'CREATED (UTC)'];
    printResult(context, page, () => formatTable([heading, ...rows]));
    return 0;
  },
});
