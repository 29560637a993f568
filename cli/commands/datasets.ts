/** `atelier datasets`: labelled images. */
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import { defineCommand, printResult } from '../command.ts';
import { formatTable, formatTime } from '../text.ts';

export const datasets = defineCommand({
  summary: 'List data sets, newest first',
  parameters: [],
  options: {
    limit: { type: 'string', value: 'N', default: '20', help: 'Largest number of data sets, up to 100; 20' },
  },
  async run(context, _parameters, { limit }) {
    const query = new URLSearchParams({ limit });
    const page = await context.client.json<{ data: DatasetSummary[] }>(`/v1/datasets?${query}`);
    const rows = page.data.map(({ id, name, classNames, splits, createdAt }) => [
      id,
      name ?? '-',
      String(classNames.length),
      String(splits.train.examples),
      String(splits.test.examples),
      formatTime(createdAt),
    ]);
    const heading = ['DATA SET', 'NAME', 'CLASSES', 'TRAIN', 'TEST', 'CREATED (UTC)'];
    printResult(context, page, () => formatTable([heading, ...rows]));
    return 0;
  },
});
