/** The labels of a split, in the order of its images. */
import { useEffect, useState } from 'preact/hooks';
import { request } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';

interface Labels {
  readonly path: string;
  /** null until they have been loaded. */
  readonly labels: Uint8Array | Uint16Array | null;
  readonly problem: ApiProblem | null;
}

/** @param classes number of classes: with more than 256, a label has two bytes */
export function useLabels(path: string, classes: number): Labels {
  const [state, setState] = useState<Labels>({ path, labels: null, problem: null });
  useEffect(() => {
    const { signal, abort } = createAbort();
    async function load(): Promise<void> {
      try {
        const headers = { accept: 'application/octet-stream' };
        const response = await request(path, { headers, signal, isRecorded: false });
        const bytes = await response.arrayBuffer();
        const labels = classes > 256 ? new Uint16Array(bytes) : new Uint8Array(bytes);
        if (!signal.aborted) setState({ path, labels, problem: null });
      } catch (error) {
        if (!signal.aborted) setState({ path, labels: null, problem: toProblem(error) });
      }
    }
    void load();
    return abort;
  }, [path, classes]);
  return state.path === path ? state : { path, labels: null, problem: null };
}

function createAbort() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
