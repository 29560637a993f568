/** Reliability diagram: accuracy by confidence, above the number of images in each bin. */
import type { VNode } from 'preact';
import { AXIS_BELOW, axisWidth, horizontalAxis, LABEL_ABOVE, verticalAxis } from './parts/axes.ts';
import type { Box } from './parts/box.ts';
import { dots } from './parts/dots.ts';
import { element } from './parts/element.ts';
import { type ChartOptions, figure } from './parts/figure.ts';
import { svgBars, svgSegment } from './parts/path-data.ts';
import { percentScale, type Scale, valueScale } from './parts/scales.ts';
import { shortNumber } from './parts/ticks.ts';

export interface ReliabilityInput {
  readonly subtitle: string;
  /** Mean of |accuracy − confidence|, weighted by the images of the bins. */
  readonly expectedCalibrationError: number;
  /** Ascending. An empty bin has neither confidence nor accuracy. */
  readonly bins: readonly {
    readonly from: number;
    readonly to: number;
    readonly count: number;
    readonly confidence: number | null;
    readonly accuracy: number | null;
  }[];
}

/** Fraction of the height that the numbers of images take. */
const COUNTS = 0.24;
/** Height from which the numbers of images are drawn. */
const MIN_HEIGHT = 160;

/** Bars that end at the diagonal have the accuracy that their confidence promises. */
export function drawReliability(input: ReliabilityInput, options: ChartOptions): VNode {
  const { bins, expectedCalibrationError, subtitle } = input;
  const error = `${shortNumber(100 * expectedCalibrationError)} %`;
  const images = bins.reduce((sum, { count }) => sum + count, 0);
  return figure(
    {
      title: 'Reliability diagram',
      subtitle,
      notes: [
        `The expected calibration error on ${images.toLocaleString('en')} images is ${error}.`,
        'Dots are at the mean confidence of a bin; on the dashed line, it equals the accuracy.',
      ],
    },
    options,
    (area) => {
      const { theme } = options;
      const bottom = area.bottom - AXIS_BELOW;
      const hasCounts = bottom - area.top >= MIN_HEIGHT;
      const split = hasCounts ? bottom - COUNTS * (bottom - area.top) : bottom + 8;
      const countsTop = split + LABEL_ABOVE;
      const toY = percentScale('y', [split - 8, area.top + LABEL_ABOVE]);
      const toCount = valueScale(
        bins.map(({ count }) => count),
        { name: 'linear', fromZero: true },
        [bottom, countsTop],
      );
      const left = area.left + Math.max(axisWidth(toY.ticks), axisWidth(toCount.ticks));
      const upper: Box = { left, top: area.top + LABEL_ABOVE, right: area.right - 8, bottom: split - 8 };
      const lower: Box = { ...upper, top: countsTop, bottom };
      const x = percentScale('x', [left, upper.right]);
      const bars = (value: (bin: ReliabilityInput['bins'][number]) => number | null, y: Scale) =>
        bins.flatMap((bin) => {
          const at = value(bin);
          if (at === null || at === 0) return [];
          return [{ left: x(100 * bin.from) + 0.5, right: x(100 * bin.to) - 0.5, top: y(at), bottom: y(0) }];
        });
      const diagonal = svgSegment([x(0), toY(0)], [x(100), toY(100)]);
      const means = bins.flatMap(({ confidence, accuracy }) =>
        confidence === null || accuracy === null ? [] : [[x(100 * confidence), toY(100 * accuracy)] as const],
      );
      return [
        verticalAxis(toY, 'Accuracy (% of the images of a bin)', upper, area, theme),
        element('path', {
          d: svgBars(bars(({ accuracy }) => accuracy && 100 * accuracy, toY)),
          fill: theme.accent,
          'fill-opacity': 0.45,
        }),
        element('path', { d: diagonal, stroke: theme.muted, 'stroke-dasharray': '5 4' }),
        dots(means, { colour: theme.error, diameter: 6 }),
        hasCounts
          ? [
              verticalAxis(toCount, 'Images', lower, area, theme),
              element('path', { d: svgBars(bars(({ count }) => count, toCount)), fill: theme.muted }),
            ]
          : null,
        horizontalAxis(x, 'Confidence: probability of the predicted class (%)', lower, theme),
      ];
    },
  );
}
