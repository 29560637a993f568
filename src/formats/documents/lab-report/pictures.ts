/** Sections of a lab report that are a picture: weights of the first layer, path of the training. */
import { drawSgdPath } from '../../../charts/sgd-path.ts';
import { type Block, decimal, prose, text, whole } from '../blocks.ts';
import type { ReportInput } from './input.ts';

const PATH_SIZE = { width: 640, height: 460 };

const GREY_SCALE = 'red where a light pixel excites it, blue where it inhibits it.';
const COLOUR_SCALE =
  'in each colour, lighter than grey where it excites the unit, darker where it inhibits it.';

export function weightsBlocks({
  report: { job, dataset, omitted },
  pictures,
  basePath,
}: ReportInput): Block[] {
  if (job.model === null || omitted.some(({ section }) => section === 'weights')) return [];
  const { name, version } = job.model;
  return [
    text(
      `One tile for each ${job.network.convolutions.length > 0 ? 'filter' : 'unit'}: ${dataset?.imageShape.length === 3 ? COLOUR_SCALE : GREY_SCALE}`,
    ),
    {
      kind: 'images',
      isWide: true,
      images: [
        {
          alt: 'Weights of the first layer',
          caption: '',
          url: `${basePath}/v1/models/${name}/versions/${version}/weights`,
          png: pictures?.weights ?? null,
        },
      ],
    },
  ];
}

export function pathBlocks({ report: { path, job }, basePath }: ReportInput): Block[] {
  if (path === null) return [];
  const [first, second] = path.explainedVariance as [number, number];
  const [start, end] = [path.points[0]!, path.points.at(-1)!];
  return [
    prose`The training was repeated from its receipt and ended with
      ${path.agrees ? 'the same parameters' : 'similar, but not the same parameters'}. Its two principal components hold
      ${decimal(first)} and ${decimal(second)} of the variance of the weights. The loss on ${whole(path.examples)} training
      images fell from ${decimal(start.loss)} (${decimal(start.planeLoss)} in the plane) to ${decimal(end.loss)}
      (${decimal(end.planeLoss)}).`,
    {
      kind: 'charts',
      charts: [
        {
          title: 'Plot: path of the training over the loss',
          url: `${basePath}/v1/training-jobs/${job.id}/plots/path`,
          draw: (theme) => drawSgdPath({ subtitle: job.modelName, ...path }, { ...PATH_SIZE, theme }),
        },
      ],
    },
  ];
}
