/** Confusion matrix whose cells are links to their images. Arrow keys move between the cells. */
import { cloneElement, type JSX, type SVGAttributes, type TargetedKeyboardEvent, type VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { PlacedCell } from '../../../src/charts/confusions/matrix.ts';
import { drawConfusions, MAX_MATRIX_ROWS } from '../../../src/charts/confusions/most-frequent.ts';
import type { Evaluation } from '../../../src/domain/checks/evaluation.ts';
import { Chart } from '../../components/chart.tsx';
import { count as formatCount } from '../../format.ts';
import { path } from '../../router.ts';
import { changedState, state } from './screen-state.ts';
import { versionPath } from './shown-version.ts';

/** Rows and columns that a key moves by. */
const STEPS: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

export interface ConfusionChartProps {
  readonly evaluation: Evaluation;
  readonly subtitle: string;
  readonly file: string;
}

export function ConfusionChart({ evaluation, subtitle, file }: ConfusionChartProps): JSX.Element {
  const { model, split, classes, confusionMatrix: matrix, topConfusions } = evaluation;
  const classNames = classes.map(({ className }) => className);
  const size = classNames.length;
  const chosen = state('cell');
  const [focused, setFocused] = useState<string | null>(chosen);
  // The images of a frequent confusion are chosen by two lists.
  const isLinked = size <= MAX_MATRIX_ROWS;

  function overlay({ label, predicted, count, left, top, right, bottom }: PlacedCell): VNode {
    const cell = `${label}-${predicted}`;
    const name = `${classNames[label]} classified as ${classNames[predicted]}: ${formatCount(count)}`;
    return (
      <a
        key={cell}
        class="model-cell"
        href={`#${path.value}?${changedState({ cell })}`}
        aria-label={name}
        aria-current={cell === chosen}
        tabIndex={cell === (focused ?? '0-0') ? 0 : -1}
        onFocus={() => setFocused(cell)}
      >
        <title>{name}</title>
        <rect x={left + 1} y={top + 1} width={right - left - 2} height={bottom - top - 2} />
      </a>
    );
  }

  function moveFocus(event: TargetedKeyboardEvent<SVGSVGElement>): void {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const [label, predicted] = (focused ?? '0-0').split('-').map(Number) as [number, number];
    const clamp = (value: number) => Math.min(size - 1, Math.max(0, value));
    const index = clamp(label + step[0]) * size + clamp(predicted + step[1]);
    event.currentTarget.querySelectorAll('a')[index]?.focus();
  }

  return (
    <Chart
      draw={(options) => {
        const input = { ...evaluation, subtitle, classNames, matrix, ...(isLinked && { overlay }) };
        const drawing = drawConfusions(input, options) as VNode<SVGAttributes<SVGSVGElement>>;
        return isLinked ? cloneElement(drawing, { role: 'group', onKeyDown: moveFocus }) : drawing;
      }}
      height={520}
      table={
        isLinked && matrix !== null
          ? {
              columns: ['Class', ...classNames],
              rows: matrix.map((counts, label) => [classNames[label]!, ...counts]),
            }
          : {
              columns: ['Class', 'Classified as', 'Images', 'Fraction of the class'],
              rows: topConfusions.map((each) => [
                each.className,
                each.predictedClassName,
                each.count,
                each.fraction,
              ]),
            }
      }
      plotPath={`${versionPath(model.name, model.version)}/plots/confusion?split=${split}`}
      file={file}
    >
      {isLinked && <p class="hint">Select a cell to see its images. Arrow keys move between the cells.</p>}
    </Chart>
  );
}
