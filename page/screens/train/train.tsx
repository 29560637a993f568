/** Screen: the form of a training. An option that varies makes it a search. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { send } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { useResource } from '../../api/use-resource.ts';
import { AsCurl } from '../../components/as-curl.tsx';
import { Button } from '../../components/button.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Screen } from '../../components/screen.tsx';
import { links, navigate, query } from '../../router.ts';
import { Cost, describeTime } from './cost.tsx';
import { Fields } from './form/fields.tsx';
import { placeErrors } from './form/option-errors.ts';
import { type Form, readForm } from './form.ts';
import { type ListedDatasets, Recipes } from './recipes.tsx';
import { Starter } from './starter.tsx';
import { type Preview, usePreview } from './use-preview.ts';

export function Train(): JSX.Element {
  const datasets = useResource<ListedDatasets>('/v1/datasets?limit=100', {
    isRecorded: false,
  });
  const listed = datasets.data?.data ?? [];
  const form = readForm(listed);
  const preview = usePreview(form, datasets.data !== null || datasets.problem !== null);
  const { submit, problem, isSending, ref } = useSubmit(form);
  const shown = problem ?? preview.problem;
  const { errors, isComplete } = shown ? placeErrors(shown, form) : { errors: {}, isComplete: false };
  const [isFirstVisit] = useState(query.value === '');
  return (
    <Screen title="Train" hasCurl={false} actions={<Recipes datasets={datasets.data} />}>
      <form
        class="train"
        ref={ref}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Fields form={form} errors={errors} datasets={listed} />
        <div class="train-side">
          <Cost preview={preview} isSearch={form.isSearch} hasFieldErrors={isComplete} />
          {problem && !isComplete && <ProblemBox problem={problem} />}
          <div class="train-actions">
            <p class="note train-time">{describeTime(preview)}</p>
            <Button kind="primary" type="submit" isBusy={isSending}>
              {actionName(form, preview)}
            </Button>
          </div>
          {isFirstVisit && <Starter />}
        </div>
      </form>
      <AsCurl request={{ method: 'POST', path: form.path, body: form.body }} />
    </Screen>
  );
}

function actionName({ isSearch }: Form, { search, isOld }: Preview): string {
  if (!isSearch) return 'Train';
  const trials = isOld ? undefined : search?.trials.length;
  return trials === undefined ? 'Search' : `Search ${trials} ${trials === 1 ? 'setting' : 'settings'}`;
}

interface Submission {
  readonly ref: { current: HTMLFormElement | null };
  readonly submit: () => Promise<void>;
  /** The problem of the last attempt, until the form changes. */
  readonly problem: ApiProblem | null;
  readonly isSending: boolean;
}

function useSubmit({ path, body }: Form): Submission {
  const ref = useRef<HTMLFormElement>(null);
  const [failure, setFailure] = useState<{ problem: ApiProblem; of: string } | null>(null);
  const [isSending, setSending] = useState(false);
  const text = JSON.stringify(body);
  // The same key for the same request, so a repetition after a lost response starts nothing twice.
  const key = useRef({ of: '', key: '' });
  async function submit(): Promise<void> {
    if (key.current.of !== text) key.current = { of: text, key: randomKey() };
    setSending(true);
    try {
      const { id } = await send<{ id: string }>(path, body, {
        headers: { 'idempotency-key': key.current.key },
        isRecorded: false,
      });
      navigate(path === '/v1/searches' ? links.search(id) : links.job(id));
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status !== 0) key.current.of = '';
      setFailure({ problem, of: text });
    }
    setSending(false);
  }
  useEffect(() => {
    if (failure) focusFirstError(ref.current);
  }, [failure]);
  return { ref, submit, isSending, problem: failure?.of === text ? failure.problem : null };
}

/** Focuses the first control with an error, and opens the group that it is in. */
function focusFirstError(form: HTMLFormElement | null): void {
  const first = form?.querySelector<HTMLElement>('[aria-invalid=true]');
  first?.closest('details')?.setAttribute('open', '');
  first?.focus();
}

/** `crypto.randomUUID` exists with HTTPS and on loopback only. */
const randomKey = () => crypto.getRandomValues(new Uint32Array(4)).join('-');
