/** Section of a lab report about the search that the job belongs to: its best trials, and what was chosen. */
import type { Search } from '../../../domain/searches/representation.ts';
import { type Block, decimal, type Inline, NONE, prose, table, whole } from '../blocks.ts';
import type { ReportInput } from './input.ts';

export function searchBlocks({ report: { job, search, trials } }: ReportInput): Block[] {
  if (search === null || job.search === null) return [];
  const paths = search.vary.map(({ path }) => path);
  const { trial } = job.search;
  const { progress } = search;
  return [
    prose`The job is ${trial === null ? 'the final training' : `a training of trial ${trial}`} of search
      ${{ code: search.id }}, which compared ${whole(progress.trials)} trials on ${whole(search.validationImages)}
      validation images. They never measure the test images.`,
    ...describeChoice(search),
    table(
      [
        'rank',
        'trial',
        ...paths,
        'validation loss',
        'validation accuracy',
        'standard error',
        'within one error',
        'epochs',
      ],
      trials.map((each): Inline[] => [
        each.rank === null ? NONE : whole(each.rank),
        whole(each.trial),
        ...paths.map((path) => showValue(each.values[path])),
        decimal(each.validationLoss),
        decimal(each.validationAccuracy),
        decimal(each.standardError),
        each.withinOneError ? 'yes' : 'no',
        whole(each.epochs),
      ]),
    ),
  ];
}

function describeChoice({ best, objective, status }: Search): Block[] {
  if (best === null) return [];
  const measure = objective === 'validationLoss' ? 'lowest validation loss' : 'highest validation accuracy';
  const verdict = status === 'succeeded' ? 'was chosen' : 'is the best so far';
  return [
    prose`Trial ${String(best.trial)} ${verdict}: of the trials that got furthest, it has the ${measure}, ${decimal(best.value)}.`,
  ];
}

const showValue = (value: unknown): Inline =>
  typeof value === 'number' ? { value, shown: String(value) } : (JSON.stringify(value) ?? NONE);
