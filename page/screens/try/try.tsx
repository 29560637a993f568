/** Screen: predictions for images that are drawn, uploaded, pasted or picked from a data set. */
import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { Model } from '../../../src/domain/models/representation.ts';
import type { FitMode } from '../../../src/domain/predictions/preprocessing.ts';
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/feedback/empty-state.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Field } from '../../components/field.tsx';
import type { Picture } from '../../components/picture.ts';
import { Screen } from '../../components/screen.tsx';
import { shapeText } from '../../format.ts';
import { decode, links, query, replaceQuery } from '../../router.ts';
import { Answer, Basis, CalibrateLink, CoverageChoice } from './guarantee.tsx';
import { ModelChoice } from './model-choice.tsx';
import { Pad, ShownPicture } from './pad.tsx';
import { BRUSHES, type Brush, blank, isBlank, isSameShape } from './picture.ts';
import { predict, type TriedImage } from './predict.ts';
import { Bars, type ClassProbability, Doctor } from './result.tsx';
import { DatasetSource, FileSource } from './sources.tsx';
import { useLatest } from './use-latest.ts';
import { useModel } from './use-model.ts';
import { Why } from './why.tsx';

export function Try(): JSX.Element {
  const models = useResource<{ data: Model[] }>('/v1/models?limit=100', { isRecorded: false });
  return (
    <Screen title="Try">
      <Loaded resource={models} lines={12}>
        {({ data }) => {
          const reference = decode(query.value) || data[0]?.name;
          return reference === undefined ? <NoModel /> : <TryModel models={data} reference={reference} />;
        }}
      </Loaded>
    </Screen>
  );
}

const NoModel = () => (
  <EmptyState
    text="There is no model yet. Train one, and try it here."
    action={{ name: 'Train a model', href: links.train() }}
    request={{
      method: 'POST',
      path: '/v1/training-jobs',
      body: { dataset: 'fashion-mnist', modelName: 'mine' },
    }}
  />
);

const NOTHING: TriedImage = { picture: null, file: null, origin: null };
const MAX_UNDO = 100;
const DELAY_MS = 60;

function TryModel({
  models,
  reference,
}: {
  readonly models: readonly Model[];
  readonly reference: string;
}): JSX.Element {
  const [history, setHistory] = useState<readonly TriedImage[]>([NOTHING]);
  const [brush, setBrush] = useState<Brush>('medium');
  const found = useModel(models, reference);
  const known = useRef(found);
  if (found !== undefined) known.current = found;
  // While another version is loaded, the screen keeps the one before.
  const model = known.current;
  const shape = model?.inputShape ?? null;
  const hasPreprocessing = (model?.preprocessing ?? null) !== null;
  const [chosenFit, setFit] = useState<FitMode | null>();
  const fit = chosenFit === undefined ? (hasPreprocessing ? null : 'contain') : chosenFit;
  const [chosenCoverage, setCoverage] = useState<number | null>(null);
  const published = model?.published;
  const coverage = published ? chosenCoverage : null;
  const last = history.at(-1)!;
  // A drawing for a model of another shape is left out. The service rejects other images, and names both shapes.
  const isDrawing = last.picture !== null && last.origin === null;
  const image = isDrawing && !(shape && isSameShape(last.picture.shape, shape)) ? NOTHING : last;
  const isEmpty = image.file === null && (image.picture === null || isBlank(image.picture));
  const key = useMemo(
    () => (isEmpty ? null : { image, model: reference, fit, coverage }),
    [image, isEmpty, reference, fit, coverage],
  );
  const { result, problem, isBusy } = useLatest(key, predict, DELAY_MS);
  const isUncalibrated = problem?.code === 'not-calibrated';
  const isFileProblem = image.file !== null && !isUncalibrated;
  // The file is shown as the service decoded it.
  const picture = image.file !== null && result?.image === image ? result.picture : image.picture;
  const pad = shape?.length === 2 ? (picture ?? blank(shape)) : null;
  const isDrawable = pad !== null && isSameShape(pad.shape, shape!);

  const add = (next: TriedImage) => setHistory((old) => [...old, next].slice(-MAX_UNDO));
  const change = (changed: Picture, isNewStep = true) => {
    const next = { picture: changed, file: null, origin: image.origin };
    setHistory((old) => [...(isNewStep ? old.slice(-MAX_UNDO) : old.slice(0, -1)), next]);
  };
  const undo = () => setHistory((old) => (old.length > 1 ? old.slice(0, -1) : old));
  const named: readonly ClassProbability[] =
    model?.classNames.map((className, label) => ({ label, className, probability: null })) ?? [];
  const classes = result?.prediction.top?.toSorted((a, b) => a.label - b.label) ?? named;

  return (
    <>
      <ModelChoice
        models={models}
        reference={reference}
        onChange={(chosen) => replaceQuery(encodeURIComponent(chosen))}
      />
      <div class="try-grid">
        <section class="box">
          <h2>Image</h2>
          <div class="try-image">
            {isDrawable ? (
              <Pad key={`${shape}`} picture={pad} brush={brush} onDraw={change} onUndo={undo} />
            ) : (
              picture && <ShownPicture picture={picture} />
            )}
            <div class="stack">
              <div class="actions">
                <Button onClick={undo} disabled={history.length === 1}>
                  Undo
                </Button>
                <Button onClick={() => add(NOTHING)}>Clear</Button>
              </div>
              {isDrawable ? (
                <BrushChoice brush={brush} onChange={setBrush} />
              ) : (
                <p class="hint">{describeInput(shape)}</p>
              )}
            </div>
          </div>
        </section>
        <section class="box" aria-busy={isBusy}>
          <h2>Prediction</h2>
          <p class="try-answer" role="status">
            {result ? (
              <Answer predicted={result} />
            ) : (
              `${isDrawable ? 'Draw, upload' : 'Upload'}, paste, drop or pick an image.`
            )}
          </p>
          {problem && !isFileProblem && <ProblemBox problem={problem} />}
          {isUncalibrated && published && <CalibrateLink {...published} />}
          {published && <CoverageChoice coverage={coverage} onChange={setCoverage} />}
          {result && <Basis predicted={result} />}
          <Bars classes={classes} />
          {image.origin && (
            <p class="note">
              {image.origin.text}
              {image.origin.className !== undefined && (
                <>
                  , true class <strong>{image.origin.className}</strong>
                </>
              )}
            </p>
          )}
          {result && <Doctor predicted={result} onChange={change} />}
        </section>
        <section class="box">
          <h2>Other images</h2>
          <FileSource
            onImage={add}
            shape={shape}
            fit={fit}
            onFit={setFit}
            hasPreprocessing={hasPreprocessing}
            problem={isFileProblem ? problem : null}
          />
          <DatasetSource onImage={add} preferred={model?.dataset} />
        </section>
        {shape && !reference.startsWith('job_') && (
          <Why key={reference} predicted={result} classes={named} shape={shape} />
        )}
      </div>
    </>
  );
}

/** The hint where nothing can be drawn. */
function describeInput(shape: ImageShape | null): string {
  if (shape === null) return 'The shape of the images that the model takes is not known.';
  if (shape.length === 2) return `The model takes images of ${shapeText(shape)}. Clear this one to draw.`;
  return `The model takes images in colour, ${shapeText(shape)}, so nothing can be drawn.`;
}

function BrushChoice(props: { readonly brush: Brush; readonly onChange: (brush: Brush) => void }) {
  return (
    <>
      <Field id="try-brush" label="Brush">
        {(attributes) => (
          <select
            {...attributes}
            value={props.brush}
            onChange={(event) => props.onChange(event.currentTarget.value as Brush)}
          >
            {Object.keys(BRUSHES).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <p class="hint" id="try-pad-keys">
        Draw light on black. By keyboard: arrows move, Space inks, Shift with an arrow draws, Ctrl+Z undoes.
      </p>
    </>
  );
}
