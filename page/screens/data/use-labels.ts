/** The labels of a split, in the order of its images. */
import { useEffect, useState } from 'preact/hooks';
import { request } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';

interface Labels {
  readonly path: string;
  /** One byte per image; null until it has been loaded. */
  readonly labels: Uint8Array | null;
  readonly problem: ApiProblem | null;
}

export function useLabels(path: string): Labels {
  const [state, setState] = useState<Labels>({ path, labels: null, problem: null });
  useEffect(() => {
    const { signal, abort } = createAbort();
    async function load(): Promise<void> {
      try {
        const headers = { accept: 'application/octet-stream' };
        const response = await request(path, { headers, signal, isRecorded: false });
        const labels = new Uint8Array(await response.arrayBuffer());
        if (!signal.aborted) setState({ path, labels, problem: null });
      } catch (error) {
        if (!signal.aborted) setState({ path, labels: null, problem: toProblem(error) });
      }
    }
    void load();
    return abort;
  }, [path]);
  return state.path === path ? state : { path, labels: null, problem: null };
}

function createAbort() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
