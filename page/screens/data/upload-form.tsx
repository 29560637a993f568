/** The form that uploads a data set: a folder, an archive or up to four arrays. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CheckedDataset, DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { request } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { Button } from '../../components/button.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { ProgressBar } from '../../components/feedback/progress-bar.tsx';
import { links, navigate } from '../../router.ts';
import { droppedFolder, type Folder, packFolder } from './folder.ts';
import { Preview } from './preview.tsx';
import { UploadControl } from './upload-control.tsx';
import { COMMON, FILES, IMAGE_OPTIONS, SOURCES, type Source, type UploadField } from './upload-fields.ts';

interface Progress {
  readonly phase: 'Packing' | 'Upload';
  readonly fraction: number;
}

export function UploadForm(): JSX.Element {
  const [source, setSource] = useState<Source>('archive');
  const [file, setFile] = useState('');
  const [folder, setFolder] = useState<Folder | null>(null);
  const [progress, setProgress] = useState<Progress | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  /** The result of the dry run of what the form has; null before, and after a change of it. */
  const [checked, setChecked] = useState<CheckedDataset | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const controller = useRef<AbortController>(null);
  const hasImages = source === 'folder' || (source === 'archive' && !/\.npz$/i.test(file));
  const fields = [...FILES[source], ...(hasImages ? IMAGE_OPTIONS : []), ...COMMON];

  useEffect(() => () => controller.current?.abort(), []);
  useEffect(() => {
    if (problem !== null) form.current!.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [problem]);

  /** @param isDryRun checks only, and shows what an upload would store */
  async function upload(isDryRun: boolean): Promise<void> {
    const created = new AbortController();
    controller.current = created;
    const { signal } = created;
    const show = (phase: Progress['phase']) => (exact: number) => {
      if (signal.aborted) return;
      // A folder can have thousands of files: the form is drawn again only for another percentage.
      const fraction = Math.floor(100 * exact) / 100;
      setProgress((old) => (old?.phase === phase && old.fraction === fraction ? old : { phase, fraction }));
    };
    setProblem(null);
    show(source === 'folder' ? 'Packing' : 'Upload')(0);
    try {
      const filled = readForm(form.current!);
      const packed = source === 'folder' ? await packFolder(folder!, show('Packing'), signal) : null;
      show('Upload')(0);
      const response = await request('/v1/datasets', {
        method: 'POST',
        form: { ...filled, ...(packed && { file: packed }), ...(isDryRun && { dryRun: 'true' }) },
        onUpload: show('Upload'),
        signal,
      });
      const found: DatasetSummary & CheckedDataset = await response.json();
      const { id } = found;
      if (isDryRun && !signal.aborted) setChecked(found);
      else if (!signal.aborted) navigate(`${links.dataset(id)}?${response.status === 201 ? 'new' : 'known'}`);
    } catch (error) {
      if (!signal.aborted) setProblem(toProblem(error));
    }
    setProgress(null);
  }

  function chooseSource(chosen: Source): void {
    setChecked(null);
    setSource(chosen);
  }

  function chooseFolder(chosen: Folder): void {
    chooseSource('folder');
    setFolder(chosen);
  }

  /** By default the browser would leave the page and show the file. An input for an array takes the file itself. */
  function takesDrop({ dataTransfer, target }: DragEvent): boolean {
    const isOverInput = target instanceof HTMLInputElement && target.type === 'file';
    return dataTransfer!.types.includes('Files') && !(source === 'arrays' && isOverInput);
  }

  /** A folder, or a file that is an archive. */
  function drop(event: DragEvent): void {
    if (!takesDrop(event)) return;
    event.preventDefault();
    const dropped = droppedFolder(event.dataTransfer!);
    if (dropped) return void dropped.then(chooseFolder, (error) => setProblem(toProblem(error)));
    const [archive] = event.dataTransfer!.files;
    if (archive === undefined) return;
    const copy = new DataTransfer();
    copy.items.add(archive);
    chooseSource('archive');
    setFile(archive.name);
    requestAnimationFrame(() => {
      form.current!.querySelector<HTMLInputElement>('#upload-file')!.files = copy.files;
    });
  }

  const errorOf = (name: string) => problem?.errors.find(({ pointer }) => pointer === `#/${name}`)?.detail;
  const isAtField =
    problem?.errors.length &&
    problem.errors.every(({ pointer }) => fields.some(({ name }) => pointer === `#/${name}`));
  /** @param key the inputs of a folder and of an archive are different ones */
  const control = (field: UploadField, key: string) => (
    <UploadControl
      key={key}
      field={field}
      error={errorOf(field.name)}
      onFile={setFile}
      folder={folder}
      onFolder={chooseFolder}
    />
  );
  return (
    <section
      class="stack"
      aria-label="Files of the data set"
      onDragOver={(event) => {
        if (takesDrop(event)) event.preventDefault();
      }}
      onDrop={drop}
    >
      <fieldset class="links">
        <legend class="visually-hidden">Files</legend>
        {Object.entries(SOURCES).map(([each, label]) => (
          <label key={each} class="check">
            <input
              type="radio"
              name="data-source"
              checked={source === each}
              onChange={() => chooseSource(each as Source)}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <form
        ref={form}
        class="stack"
        onInput={() => setChecked(null)}
        onSubmit={(event) => {
          event.preventDefault();
          void upload(checked === null);
        }}
      >
        <div class="columns">{FILES[source].map((field) => control(field, `${source} ${field.name}`))}</div>
        {hasImages && <div class="columns">{IMAGE_OPTIONS.map((field) => control(field, field.name))}</div>}
        <div class="columns">{COMMON.map((field) => control(field, field.name))}</div>
        {problem !== null && !isAtField && <ProblemBox problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" isBusy={progress !== null}>
            {checked === null ? 'Check' : 'Upload'}
          </Button>
          {progress !== null && <Button onClick={() => controller.current!.abort()}>Cancel</Button>}
          <span role="status">{isSent(progress) && 'The service checks the images.'}</span>
          {progress !== null && !isSent(progress) && (
            <ProgressBar label={progress.phase} fraction={progress.fraction} />
          )}
        </div>
      </form>
      {checked !== null && <Preview checked={checked} />}
    </section>
  );
}

const isSent = (progress: Progress | null) => progress?.phase === 'Upload' && progress.fraction === 1;

/** Fields that were filled in, and chosen files. */
function readForm(form: HTMLFormElement): Record<string, string | File> {
  const isGiven = (value: string | File) =>
    typeof value === 'string' ? value.trim() !== '' : value.name !== '';
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => isGiven(value)));
}
