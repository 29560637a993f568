/** The form that uploads a data set: one archive or up to four arrays, with progress. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { request } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { Button } from '../../components/button.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { ProgressBar } from '../../components/feedback/progress-bar.tsx';
import { Field } from '../../components/field.tsx';
import { links, navigate } from '../../router.ts';

type Source = 'archive' | 'arrays';

interface UploadField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Values of a list; the first one is the default of the service. Without it, a file or a text. */
  readonly options?: readonly string[];
  readonly isFile?: true;
  readonly isRequired?: true;
}

const FILES: Readonly<Record<Source, readonly UploadField[]>> = {
  archive: [
    {
      name: 'file',
      label: 'Archive',
      hint: 'A zip or tar.gz of PNG, JPEG or WebP images in class folders, such as cat/1.png, also below train/ and test/; or an npz.',
      isFile: true,
      isRequired: true,
    },
  ],
  arrays: [
    {
      name: 'train_images',
      label: 'Training images',
      hint: 'npy or IDX, n × 28 × 28',
      isFile: true,
      isRequired: true,
    },
    { name: 'train_labels', label: 'Training labels', hint: 'npy or IDX, n', isFile: true, isRequired: true },
    { name: 'test_images', label: 'Test images', hint: 'Empty with a test fraction', isFile: true },
    { name: 'test_labels', label: 'Test labels', hint: 'Empty with a test fraction', isFile: true },
  ],
};

const IMAGE_OPTIONS: readonly UploadField[] = [
  {
    name: 'fit',
    label: 'Fit',
    hint: 'contain shows the whole image, cover its central square, stretch ignores its proportions.',
    options: ['contain', 'cover', 'stretch'],
  },
  {
    name: 'background',
    label: 'Background',
    hint: 'Around the image; auto is the grey of its border.',
    options: ['auto', 'black', 'white'],
  },
  {
    name: 'invert',
    label: 'Invert',
    hint: 'auto inverts if most images have a light border.',
    options: ['auto', 'never', 'always'],
  },
];

const COMMON: readonly UploadField[] = [
  { name: 'name', label: 'Name', hint: 'Optional' },
  { name: 'classNames', label: 'Class names', hint: 'Optional, in the order of the labels: zero,one,two' },
  { name: 'testFraction', label: 'Test fraction', hint: '0.05 to 0.5, if there are no test images' },
];

export function UploadForm(): JSX.Element {
  const [source, setSource] = useState<Source>('archive');
  const [file, setFile] = useState('');
  const [fraction, setFraction] = useState<number | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const controller = useRef<AbortController>(null);
  const hasImages = source === 'archive' && !/\.npz$/i.test(file);
  const fields = [...FILES[source], ...(hasImages ? IMAGE_OPTIONS : []), ...COMMON];

  useEffect(() => () => controller.current?.abort(), []);
  useEffect(() => {
    if (problem !== null) form.current!.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [problem]);

  async function upload(): Promise<void> {
    const created = new AbortController();
    controller.current = created;
    const { signal } = created;
    setProblem(null);
    setFraction(0);
    try {
      const response = await request('/v1/datasets', {
        method: 'POST',
        form: readForm(form.current!),
        onUpload: setFraction,
        signal,
      });
      const { id }: DatasetSummary = await response.json();
      if (!signal.aborted) navigate(`${links.dataset(id)}?${response.status === 201 ? 'new' : 'known'}`);
    } catch (error) {
      if (!signal.aborted) setProblem(toProblem(error));
    }
    setFraction(null);
  }

  const errorOf = (name: string) => problem?.errors.find(({ pointer }) => pointer === `#/${name}`)?.detail;
  const isAtField =
    problem?.errors.length &&
    problem.errors.every(({ pointer }) => fields.some(({ name }) => pointer === `#/${name}`));
  const control = (field: UploadField) => (
    <UploadControl
      key={field.name}
      field={field}
      error={errorOf(field.name)}
      {...(field.name === 'file' && { onFile: setFile })}
    />
  );
  return (
    <div class="stack">
      <fieldset class="links">
        <legend class="visually-hidden">Files</legend>
        {(['archive', 'arrays'] as const).map((each) => (
          <label key={each} class="check">
            <input
              type="radio"
              name="data-source"
              checked={source === each}
              onChange={() => setSource(each)}
            />
            {each === 'archive' ? 'One archive' : 'Arrays'}
          </label>
        ))}
      </fieldset>
      <form
        ref={form}
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void upload();
        }}
      >
        <div class="columns">{FILES[source].map(control)}</div>
        {hasImages && <div class="columns">{IMAGE_OPTIONS.map(control)}</div>}
        <div class="columns">{COMMON.map(control)}</div>
        {problem !== null && !isAtField && <ProblemBox problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" isBusy={fraction !== null}>
            Upload
          </Button>
          {fraction !== null && <Button onClick={() => controller.current!.abort()}>Cancel</Button>}
          <span role="status">{fraction === 1 && 'The service checks the images.'}</span>
          {fraction !== null && fraction < 1 && <ProgressBar label="Upload" fraction={fraction} />}
        </div>
      </form>
    </div>
  );
}

interface UploadControlProps {
  readonly field: UploadField;
  readonly error: string | undefined;
  readonly onFile?: (name: string) => void;
}

function UploadControl({ field, error, onFile }: UploadControlProps): JSX.Element {
  const { name, label, hint, options, isFile, isRequired } = field;
  return (
    <Field id={`upload-${name}`} label={label} hint={hint} error={error}>
      {(attributes) =>
        options ? (
          <select {...attributes} name={name}>
            {options.map((option, i) => (
              <option key={option} value={i === 0 ? '' : option}>
                {option}
              </option>
            ))}
          </select>
        ) : isFile ? (
          <input
            {...attributes}
            name={name}
            type="file"
            required={isRequired}
            onChange={(event) => onFile?.(event.currentTarget.files?.[0]?.name ?? '')}
          />
        ) : (
          <input {...attributes} name={name} />
        )
      }
    </Field>
  );
}

/** Fields that were filled in, and chosen files. */
function readForm(form: HTMLFormElement): Record<string, string | File> {
  const isGiven = (value: string | File) =>
    typeof value === 'string' ? value.trim() !== '' : value.name !== '';
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => isGiven(value)));
}
