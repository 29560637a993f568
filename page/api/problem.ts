/** Error responses of the API as exceptions. */

/** An error in the body or the query of a request. */
export interface FieldError {
  /** JSON Pointer into the body as a URI fragment, such as `#/training/batchSize`. */
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
}

export interface ProblemBody {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors?: readonly FieldError[];
}

/** A response that is not 2xx. Its `code` is one of the API; `unreachable` if there was no response. */
export class ApiProblem extends Error {
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  readonly errors: readonly FieldError[];

  constructor({ title, status, detail, code, requestId, errors = [] }: ProblemBody) {
    super(detail);
    this.title = title;
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.errors = errors;
  }
}

export async function readProblem(response: Response): Promise<ApiProblem> {
  const body: Partial<ProblemBody> = await response.json().catch(() => ({}));
  return new ApiProblem({
    title: body.title ?? 'Unexpected response',
    status: response.status,
    detail: body.detail ?? `The service responded with status ${response.status}.`,
    code: body.code ?? 'unexpected-response',
    requestId: body.requestId ?? response.headers.get('x-request-id') ?? '',
    ...(body.errors && { errors: body.errors }),
  });
}

export const unreachable = () =>
  new ApiProblem({
    title: 'No connection',
    status: 0,
    detail: 'The service cannot be reached. Nothing on this page is lost.',
    code: 'unreachable',
    requestId: '',
  });

/** Any error as a problem that can be shown. */
export function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ApiProblem({ title: 'Error of the page', status: 0, detail, code: 'page-error', requestId: '' });
}
