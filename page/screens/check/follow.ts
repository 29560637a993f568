/** Runs a gradient check whose progress is streamed. */
import type { GradientCheck, GradientCheckEvent } from '../../../src/domain/checks/gradient.ts';
import { request } from '../../api/client.ts';
import { readMessages } from '../../api/event-stream.ts';
import { ApiProblem, unreachable } from '../../api/problem.ts';

/**
 * @param stop aborts the check
 * @param onProgress receives the fraction of the coordinates that are checked
 * @throws ApiProblem; an AbortError after `stop.abort()`
 */
export async function followCheck(
  body: object,
  stop: AbortController,
  onProgress: (fraction: number) => void,
): Promise<GradientCheck> {
  const headers = { accept: 'text/event-stream' };
  const options = { method: 'POST', body, headers, signal: stop.signal };
  const response = await request('/v1/gradient-checks', options);
  try {
    for await (const { data } of readMessages(response, () => stop.abort(unreachable()))) {
      const event = JSON.parse(data) as GradientCheckEvent;
      if (event.type === 'result') return event.data;
      if (event.type === 'error') throw failure(event.data);
      onProgress(event.data.done / event.data.coordinates);
    }
  } catch (error) {
    // fetch reports a stream that is cut off as a TypeError.
    if (!(error instanceof TypeError)) throw error;
  }
  throw unreachable();
}

const failure = ({ code, message }: { readonly code: string; readonly message: string }) =>
  new ApiProblem({ title: 'The check failed', status: 0, detail: message, code, requestId: '' });
