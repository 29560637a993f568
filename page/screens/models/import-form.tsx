/** Form that imports a model file as the next version of a model. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import { requestJson } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { Button } from '../../components/button.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Field } from '../../components/field.tsx';
import { links, navigate } from '../../router.ts';

const FORMATS = '.npz,.npy,.safetensors,.onnx';

/** Text fields of the form beside the name, all optional. */
const OPTIONS = [
  [
    'inputShape',
    'Input shape',
    'Unless the file states it or the images are grey squares: rows, columns and, in colour, 3, such as 32×32×3.',
  ],
  [
    'convolutions',
    'Convolutions',
    'Channels of each stage, such as [16, 32] or [[32, 32], [64, 64]], if the file does not say where the pooling is.',
  ],
  ['hidden', 'Hidden layers', 'Units of each layer, such as 40,20. Required for a packed vector (.npy).'],
  ['activation', 'Activation', 'If the file does not state it; relu by default.'],
  ['classNames', 'Class names', 'In the order of the outputs: cat,dog or a JSON array.'],
  [
    'standardization',
    'Standardization',
    'none, or mean and standard deviation of pixels / 255: {"mean": 0.286, "std": 0.353}',
  ],
  ['dataset', 'Data set', 'Its test images measure the accuracy. This is a look. none measures nothing.'],
] as const;

export function ImportForm({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const errorOf = (field: string) =>
    problem?.errors.find(({ pointer, parameter }) => pointer === `#/${field}` || parameter === field)?.detail;
  const fields = ['file', 'name', ...OPTIONS.map(([field]) => field)];
  const isAtField = fields.some((field) => errorOf(field) !== undefined);

  async function submit(event: SubmitEvent & { readonly currentTarget: HTMLFormElement }): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget;
    const filled = [...new FormData(form)].filter(([, value]) => value !== '');
    setBusy(true);
    try {
      const request = { method: 'POST', form: Object.fromEntries(filled) };
      const { name, version } = await requestJson<ModelVersion>('/v1/models', request);
      navigate(links.modelVersion(name, version));
    } catch (error) {
      setBusy(false);
      setProblem(toProblem(error));
      requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid]')?.focus());
    }
  }

  return (
    <section class="box" aria-labelledby="import-heading">
      <h2 id="import-heading">Import a model</h2>
      <p class="note">
        The file becomes the next version of the model: an export of this service, a scikit-learn
        MLPClassifier or a PyTorch state_dict in .npz or .safetensors, an ONNX graph of fully connected
        layers, or a packed vector in .npy.
      </p>
      {problem !== null && !isAtField && <ProblemBox problem={problem} />}
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <div class="columns">
          <Field id="import-file" label="File" error={errorOf('file')}>
            {(attributes) => <input {...attributes} type="file" name="file" accept={FORMATS} required />}
          </Field>
          <Field
            id="import-name"
            label="Model name"
            hint="a–z, 0–9, “.”, “_” and “-”; new or existing"
            error={errorOf('name')}
          >
            {(attributes) => <input {...attributes} name="name" required autocomplete="off" />}
          </Field>
        </div>
        <details open={OPTIONS.some(([field]) => errorOf(field) !== undefined)}>
          <summary>What the file does not state</summary>
          <div class="columns">
            {OPTIONS.map(([field, label, hint]) => (
              <Field key={field} id={`import-${field}`} label={label} hint={hint} error={errorOf(field)}>
                {(attributes) => <input {...attributes} name={field} autocomplete="off" />}
              </Field>
            ))}
          </div>
        </details>
        <div class="actions">
          <Button kind="primary" type="submit" isBusy={isBusy}>
            Import
          </Button>
          <Button onClick={onClose}>Close</Button>
        </div>
      </form>
    </section>
  );
}
