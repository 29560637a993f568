/** Comparison with another version on the test images: McNemar's test, classes, and images that differ. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ModelComparison } from '../../../src/domain/checks/evaluation.ts';
import type { Model, ModelVersion } from '../../../src/domain/models/representation.ts';
import { requestJson } from '../../api/client.ts';
import type { List } from '../../api/list.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { ComparisonResult } from '../../components/comparison-result.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Field } from '../../components/field.tsx';
import { setState, state } from './screen-state.ts';
import { type CardFigures, type ShownVersion, servedVersion, versionPath } from './shown-version.ts';

export interface ComparisonProps {
  readonly version: ShownVersion;
  readonly onChange: () => void;
}

export function Comparison({ version: { name, version }, onChange }: ComparisonProps): JSX.Element {
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [isBusy, setBusy] = useState(false);
  /** Versions whose first test result the comparison would reveal. */
  const [unseen, setUnseen] = useState<readonly string[]>([]);
  const [result, setResult] = useState<ModelComparison | null>(null);
  const other = state('with') ?? '';

  async function compare(): Promise<void> {
    setBusy(true);
    setProblem(null);
    setResult(null);
    try {
      if (unseen.length === 0) {
        const hidden = await findUnseen([`${name}@${version}`, other]);
        if (hidden.length > 0) return setUnseen(hidden);
      }
      const path = `${versionPath(name, version)}/comparison?${new URLSearchParams({ with: other })}`;
      setResult(await requestJson<ModelComparison>(path));
      if (unseen.length > 0) onChange();
      setUnseen([]);
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(false);
    }
  }

  const fieldError = problem?.errors.find(({ parameter }) => parameter === 'with')?.detail;
  return (
    <div class="stack">
      <form
        class="box"
        onSubmit={(event) => {
          event.preventDefault();
          void compare();
        }}
      >
        <Field
          id="compare-with"
          label="Other version"
          hint="name@version, name@alias or name, with the same classes"
          error={fieldError}
        >
          {(attributes) => (
            <div class="model-new-alias">
              <input
                {...attributes}
                list="compare-versions"
                required
                autocomplete="off"
                value={other}
                onInput={({ currentTarget: { value } }) => {
                  setUnseen([]);
                  setState({ with: value || null });
                }}
              />
              <Button kind="primary" type="submit" isBusy={isBusy}>
                {unseen.length === 0 ? 'Compare' : 'Compare and count'}
              </Button>
            </div>
          )}
        </Field>
        <Suggestions name={name} version={version} />
        {unseen.length > 0 && (
          <p role="alert">
            No test result of {unseen.join(' and ')} was revealed yet. The comparison reveals it. This counts
            as {unseen.length === 1 ? 'a look' : 'two looks'} at the test set.
          </p>
        )}
      </form>
      {problem && fieldError === undefined && <ProblemBox problem={problem} />}
      {result && <ComparisonResult result={result} />}
    </div>
  );
}

/** Cards hold an evaluation only if a test result was revealed before, and are never a look themselves. */
async function findUnseen(references: readonly string[]): Promise<string[]> {
  const cards = await Promise.all(references.map(readCard));
  return references.filter((_, i) => cards[i]!.evaluation === null);
}

/** @param reference `name@version`, `name@alias`, or a name: its champion, else the newest version */
async function readCard(reference: string): Promise<CardFigures> {
  const options = { isRecorded: false, headers: { accept: 'application/json' } };
  const [name, version] = reference.split('@') as [string, string?];
  if (version !== undefined) return requestJson(`${versionPath(name, version)}/card`, options);
  const model = await requestJson<Model>(`/v1/models/${encodeURIComponent(name)}`, options);
  return requestJson(`${versionPath(name, servedVersion(model))}/card`, options);
}

/** The versions of this model and the models of the service. */
function Suggestions({ name, version }: { readonly name: string; readonly version: number }): JSX.Element {
  const path = `/v1/models/${encodeURIComponent(name)}/versions?limit=100`;
  const versions = useResource<List<ModelVersion>>(path, { isRecorded: false });
  const models = useResource<List<Model>>('/v1/models?limit=100', { isRecorded: false });
  const all = [
    ...(versions.data?.data ?? []).filter((each) => each.version !== version),
    ...(models.data?.data ?? []).filter((each) => each.name !== name).map(({ latest }) => latest),
  ];
  return (
    <datalist id="compare-versions">
      {all.map((each) => (
        <option key={`${each.name}@${each.version}`} value={`${each.name}@${each.version}`} />
      ))}
    </datalist>
  );
}
