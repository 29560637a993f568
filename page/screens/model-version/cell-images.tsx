/** Images of a cell of the confusion matrix, or the most confident mistakes. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Evaluation } from '../../../src/domain/checks/evaluation.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { ApiImage } from '../../components/pixel-image.tsx';
import { count, percent } from '../../format.ts';
import { setState, state } from './screen-state.ts';
import { versionPath } from './shown-version.ts';

export function CellImages({ evaluation }: { readonly evaluation: Evaluation }): JSX.Element {
  const { model, split, dataset, confusionMatrix, classes } = evaluation;
  const cell = parseCell(state('cell'), classes.length);
  const path =
    cell &&
    `${versionPath(model.name, model.version)}/evaluation?${new URLSearchParams({
      split,
      dataset,
      label: `${cell[0]}`,
      predicted: `${cell[1]}`,
    })}`;
  const found = useResource<Evaluation>(path);
  const nameOf = (label: number) => classes[label]!.className;
  return (
    <section class="box model-images" aria-labelledby="model-images">
      <h2 id="model-images">
        {cell ? `${nameOf(cell[0])} → ${nameOf(cell[1])}` : 'Most confident mistakes'}
      </h2>
      <div class="model-cell-fields">
        <ClassSelect
          label="Class"
          value={cell?.[0]}
          classes={classes}
          onChange={(label) => choose(label, cell?.[1] ?? label)}
        />
        <ClassSelect
          label="Classified as"
          value={cell?.[1]}
          classes={classes}
          onChange={(predicted) => choose(cell?.[0] ?? predicted, predicted)}
        />
        {cell && <Button onClick={() => setState({ cell: null })}>Show the mistakes</Button>}
      </div>
      {cell === null ? (
        <Gallery images={evaluation.mistakes} total={evaluation.mistakes.length} {...{ dataset, split }} />
      ) : (
        <Loaded resource={found} lines={12}>
          {({ images = [] }) => (
            <Gallery
              key={`${cell}`}
              images={images}
              total={confusionMatrix?.[cell[0]]?.[cell[1]] ?? images.length}
              {...{ dataset, split }}
            />
          )}
        </Loaded>
      )}
    </section>
  );
}

const choose = (label: number, predicted: number): void => setState({ cell: `${label}-${predicted}` });

function parseCell(text: string | null, classes: number): readonly [number, number] | null {
  const [label, predicted] = (/^(\d+)-(\d+)$/.exec(text ?? '') ?? []).slice(1).map(Number);
  return label! < classes && predicted! < classes ? [label!, predicted!] : null;
}

interface ClassSelectProps {
  readonly label: string;
  readonly value: number | undefined;
  readonly classes: Evaluation['classes'];
  readonly onChange: (label: number) => void;
}

function ClassSelect({ label, value, classes, onChange }: ClassSelectProps): JSX.Element {
  return (
    <label class="field">
      <strong>{label}</strong>
      <select value={value ?? ''} onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}>
        <option value="" disabled>
          any
        </option>
        {classes.map(({ label: each, className }) => (
          <option key={each} value={each}>
            {className}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Images that are shown at once: each one is a request. */
const SHOWN = 20;

interface GalleryProps {
  readonly images: Evaluation['mistakes'];
  readonly total: number;
  readonly dataset: string;
  readonly split: string;
}

function Gallery({ images, total, dataset, split }: GalleryProps): JSX.Element {
  const [shown, setShown] = useState(SHOWN);
  if (images.length === 0) return <p>There are no such images.</p>;
  const listed = images.slice(0, shown);
  return (
    <>
      <ul aria-label="Images">
        {listed.map(({ index, className, predictedClassName, probability }) => (
          <li key={index}>
            <ApiImage
              path={`/v1/datasets/${encodeURIComponent(dataset)}/splits/${split}/images/${index}`}
              alt={`Image ${index}: ${className}`}
            />
            <span>{className}</span>
            <span>→ {predictedClassName}</span>
            <span class="note number">{percent(probability, 1)}</span>
          </li>
        ))}
      </ul>
      <p class="note" aria-live="polite">
        {listed.length} of {count(total)} images, the most confident first
      </p>
      {images.length > shown && (
        <Button kind="quiet" onClick={() => setShown(images.length)}>
          Show {images.length - shown} more
        </Button>
      )}
    </>
  );
}
