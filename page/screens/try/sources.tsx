/** Images that are not drawn: a file, the clipboard, the camera, a data set. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DatasetSummary, SplitName } from '../../../src/domain/datasets/representation.ts';
import type { FitMode } from '../../../src/domain/predictions/preprocessing.ts';
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';
import { requestJson } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { Field } from '../../components/field.tsx';
import { count, shapeText } from '../../format.ts';
import { Camera } from './camera.tsx';
import { fromRows, type Rows } from './picture.ts';
import type { TriedImage } from './predict.ts';

interface SourceProps {
  readonly onImage: (image: TriedImage) => void;
}

export interface FileSourceProps extends SourceProps {
  /** Shape of the images that the model takes, if known. */
  readonly shape: ImageShape | null;
  readonly fit: FitMode | null;
  readonly onFit: (fit: FitMode | null) => void;
  /** Whether the model has a preprocessing; `fit` replaces a part of it. */
  readonly hasPreprocessing: boolean;
  /** The error of the API about the file. */
  readonly problem: ApiProblem | null;
}

const FITS = {
  contain: 'contain: the whole image',
  cover: 'cover: cropped to its middle',
  stretch: 'stretch: ignore its proportions',
} as const satisfies Record<FitMode, string>;

export function FileSource(props: FileSourceProps): JSX.Element {
  const { onImage, shape, fit, onFit, hasPreprocessing, problem } = props;
  const show = (file: File | null | undefined, text: string) => {
    if (file) onImage({ picture: null, file, origin: { text } });
  };
  useEffect(() => {
    const onPaste = ({ clipboardData }: ClipboardEvent) => show(clipboardData?.files[0], 'Pasted image');
    // Anywhere on the screen. By default the browser would leave the page and show the file.
    const onDrag = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const onDrop = (event: DragEvent) => {
      onDrag(event);
      const file = event.dataTransfer?.files[0];
      show(file, file?.name ?? '');
    };
    addEventListener('paste', onPaste);
    addEventListener('dragover', onDrag);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('paste', onPaste);
      removeEventListener('dragover', onDrag);
      removeEventListener('drop', onDrop);
    };
  });
  return (
    <>
      <Field
        id="try-file"
        label="Image file"
        hint="PNG, JPEG or WebP. An image in the clipboard can be pasted with Ctrl+V, a file dropped on this screen."
        error={problem === null ? undefined : `${problem.message} (${problem.code})`}
      >
        {(attributes) => (
          <input
            {...attributes}
            type="file"
            accept="image/png,image/jpeg,image/webp,.npy"
            onChange={({ currentTarget }) => {
              const [file] = currentTarget.files ?? [];
              show(file, file?.name ?? '');
              // The same file can be chosen again.
              currentTarget.value = '';
            }}
          />
        )}
      </Field>
      <Camera onPhoto={(photo) => show(photo, 'Photograph')} />
      <Field id="try-fit" label={shape ? `Fit of files into ${shapeText(shape)}` : 'Fit of files'}>
        {(attributes) => (
          <select
            {...attributes}
            value={fit ?? ''}
            onChange={({ currentTarget: { value } }) => onFit(value === '' ? null : (value as FitMode))}
          >
            <option value="">
              {hasPreprocessing ? 'as the model was trained' : 'none: images of this size only'}
            </option>
            {Object.entries(FITS).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}

export interface DatasetSourceProps extends SourceProps {
  /** Chosen at first, if it exists. */
  readonly preferred: string | undefined;
}

export function DatasetSource({ onImage, preferred }: DatasetSourceProps): JSX.Element | null {
  const { data } = useResource<{ data: DatasetSummary[] }>('/v1/datasets?limit=100', { isRecorded: false });
  const [chosen, setChosen] = useState<string>();
  const [chosenSplit, setSplit] = useState<SplitName>('test');
  const [index, setIndex] = useState('0');
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const datasets = data?.data ?? [];
  const dataset = datasets.find(({ id }) => id === (chosen ?? preferred)) ?? datasets[0];
  if (dataset === undefined) return null;
  const isOffered = (name: SplitName) => dataset.splits[name] !== undefined;
  // Another data set may have no validation split.
  const split = isOffered(chosenSplit) ? chosenSplit : 'test';
  const images = dataset.splits[split]!.examples;

  async function show(wanted: string): Promise<void> {
    setIndex(wanted);
    try {
      const path = `/v1/datasets/${dataset!.id}/splits/${split}/images/${encodeURIComponent(wanted)}`;
      const { image, className } = await requestJson<{ image: Rows; className: string }>(path, {
        headers: { accept: 'application/json' },
        isRecorded: false,
      });
      setProblem(null);
      onImage({
        picture: fromRows(image),
        file: null,
        origin: { text: `Image ${wanted} of ${split}`, className },
      });
    } catch (error) {
      setProblem(toProblem(error));
    }
  }

  return (
    <form
      class="try-dataset"
      onSubmit={(event) => {
        event.preventDefault();
        void show(index);
      }}
    >
      <Field id="try-dataset" label="Data set">
        {(attributes) => (
          <select
            {...attributes}
            value={dataset.id}
            onChange={(event) => setChosen(event.currentTarget.value)}
          >
            {datasets.map(({ id, name }) => (
              <option key={id} value={id}>
                {name ?? id}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field id="try-split" label="Split">
        {(attributes) => (
          <select
            {...attributes}
            value={split}
            onChange={(event) => setSplit(event.currentTarget.value as SplitName)}
          >
            {(['test', 'validation', 'train'] as const).filter(isOffered).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Field
        id="try-index"
        label="Index"
        hint={`0 to ${count(images - 1)}`}
        error={problem === null ? undefined : `${problem.message} (${problem.code})`}
      >
        {(attributes) => (
          <input
            {...attributes}
            inputMode="numeric"
            value={index}
            onInput={(event) => setIndex(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="actions">
        <Button type="submit">Show</Button>
        <Button onClick={() => void show(`${Math.floor(Math.random() * images)}`)}>Random</Button>
      </div>
    </form>
  );
}
