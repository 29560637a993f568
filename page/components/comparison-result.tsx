/** The result of a comparison of two versions on the same images. */
import type { JSX } from 'preact';
import type { ModelComparison } from '../../src/domain/checks/evaluation.ts';
import { count, percent, significant } from '../format.ts';
import { EqualCoverage } from './equal-coverage.tsx';
import { ApiImage } from './pixel-image.tsx';
import { Table } from './table.tsx';

/** Images of the list that are shown: each one is a request. */
const SHOWN = 24;

export function ComparisonResult({ result }: { readonly result: ModelComparison }): JSX.Element {
  const { sentence, accuracy, counts, mcnemar, classes, differences, model, other } = result;
  if (model.name === other.name && model.version === other.version) {
    return (
      <p class="box" role="status">
        Both are {model.name}@{model.version}. Choose another version to compare with.
      </p>
    );
  }
  const [ours, theirs] = [model, other].map(({ name, version }) =>
    model.name === other.name ? `@${version}` : `${name}@${version}`,
  ) as [string, string];
  const facts: readonly (readonly [string, string])[] = [
    [ours, percent(accuracy.model)],
    [theirs, percent(accuracy.other)],
    ['Change', points(accuracy.change)],
    [`Only ${ours} is correct`, count(counts.n10)],
    [`Only ${theirs} is correct`, count(counts.n01)],
    ['Both are correct', count(counts.n11)],
    ['Neither is correct', count(counts.n00)],
    ['p-value', `${significant(mcnemar.pValue, 3)} (McNemar, ${mcnemar.method.replaceAll('-', ' ')})`],
  ];
  return (
    <>
      <div class="stack">
        <section class="box" aria-label="Result" aria-live="polite">
          <p class="model-verdict">{sentence}</p>
          <dl class="facts">
            {facts.map(([name, value]) => (
              <>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </>
            ))}
          </dl>
        </section>
        <EqualCoverage result={result} />
        <section class="box" aria-label="Classes">
          <Table
            caption="Accuracy by class"
            rows={classes}
            keyOf={({ label }) => label}
            columns={[
              { name: 'Class', cell: ({ className }) => className },
              { name: ours, isNumber: true, cell: (row) => percent(row.model) },
              { name: theirs, isNumber: true, cell: (row) => percent(row.other) },
              {
                name: 'Change',
                isNumber: true,
                cell: ({ change }) => (change === null ? '–' : points(change)),
              },
              { name: 'Images', isNumber: true, cell: ({ support }) => count(support) },
            ]}
          />
        </section>
      </div>
      <Differences result={result} ours={ours} theirs={theirs} total={differences.total} />
    </>
  );
}

const points = (change: number): string =>
  `${change > 0 ? '+' : change < 0 ? '−' : ''}${Math.abs(100 * change).toFixed(2)} points`;

interface DifferencesProps {
  readonly result: ModelComparison;
  readonly ours: string;
  readonly theirs: string;
  readonly total: number;
}

function Differences({ result, ours, theirs, total }: DifferencesProps): JSX.Element | null {
  const { dataset, split, differences } = result;
  const images = differences.images.slice(0, SHOWN);
  if (images.length === 0) return null;
  return (
    <section class="box model-images" aria-labelledby="model-differences">
      <h2 id="model-differences">Images that the versions classify differently</h2>
      <ul aria-label="Images">
        {images.map(({ index, className, model, other }) => (
          <li key={index}>
            <ApiImage
              path={`/v1/datasets/${encodeURIComponent(dataset)}/splits/${split}/images/${index}`}
              alt={`Image ${index}: ${className}`}
            />
            <span>{className}</span>
            <span class="note">
              {ours}: {model.className}
            </span>
            <span class="note">
              {theirs}: {other.className}
            </span>
          </li>
        ))}
      </ul>
      <p class="note">
        {images.length} of {count(total)} images
      </p>
    </section>
  );
}
