/** The preview of the request, 300 ms after a change: what it costs, or its errors. */
import { useEffect, useState } from 'preact/hooks';
import type { TrainingPreview } from '../../../src/domain/jobs/preview.ts';
import type { SearchPreview } from '../../../src/domain/searches/representation.ts';
import { send } from '../../api/client.ts';
import { apiKey } from '../../api/key.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { reconnections } from '../../state/connection.ts';
import type { Form } from './form.ts';

export interface Preview {
  readonly training: TrainingPreview | null;
  readonly search: SearchPreview | null;
  readonly problem: ApiProblem | null;
  /** Whether the preview belongs to an earlier setting. */
  readonly isOld: boolean;
}

const DELAY_MS = 300;

export function usePreview({ path, body }: Form, isReady: boolean): Preview {
  const [state, setState] = useState<Omit<Preview, 'isOld'> & { readonly of: string }>({
    training: null,
    search: null,
    problem: null,
    of: '',
  });
  const text = JSON.stringify(body);
  const key = apiKey.value;
  const reconnection = reconnections.value;
  useEffect(() => {
    if (!isReady) return;
    const controller = new AbortController();
    const { signal } = controller;
    const timer = setTimeout(
      async () => {
        try {
          const preview = await send(`${path}/preview`, JSON.parse(text), { signal, isRecorded: false });
          const isSearch = path === '/v1/searches';
          setState({
            training: isSearch ? null : (preview as TrainingPreview),
            search: isSearch ? (preview as SearchPreview) : null,
            problem: null,
            of: text,
          });
        } catch (error) {
          // The figures of earlier settings would contradict the error.
          if (!signal.aborted)
            setState({ training: null, search: null, problem: toProblem(error), of: text });
        }
      },
      state.of === '' ? 0 : DELAY_MS,
    );
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [path, text, isReady, key, reconnection]);
  return { ...state, isOld: state.of !== text };
}
