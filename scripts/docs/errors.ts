/** Cause and remedy of every error code, and the tables of docs/reference/errors.md that show them. */
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts';
import { problemStatus } from '../../src/http/errors/problem.ts';
import { table } from './table.ts';

type Advice = readonly [cause: string, remedy: string];

const SENT = {
  'malformed-request': [
    'The bytes are not an HTTP/1.1 request, or the `Host` header is missing or repeated.',
    'Use an HTTP client; send one `Host` header.',
  ],
  'malformed-body': [
    'The body cannot be read in its format: invalid JSON, a truncated file, a broken form.',
    'Correct the body at the position that `detail` names.',
  ],
  'invalid-request': [
    'A field, parameter or header does not match the schema.',
    'Correct the places in `errors`; `/docs` shows the schema.',
  ],
  'undecodable-image': [
    'The bytes are not a PNG, JPEG or WebP image, or the image is damaged.',
    'Send a complete image and the right content type.',
  ],
  'not-acceptable': [
    'The `Accept` header allows no format that the route can produce.',
    'Send one of the formats in `detail`, or no `Accept`.',
  ],
  'request-timeout': [
    'The request did not arrive in time.',
    'Send it faster or in smaller parts; see [limits](limits.md#time).',
  ],
  'precondition-failed': [
    'The `If-Match` or `If-None-Match` header of a change does not match the current ETag.',
    'Read the resource again, decide anew, and send its new ETag.',
  ],
  'body-too-large': [
    'The body is larger than the route allows.',
    'Send less at once. For images and models raise `MAX_BODY_BYTES`, for data sets `MAX_DATASET_BYTES`; JSON bodies without images have a fixed limit.',
  ],
  'unsupported-media-type': [
    'The route does not read this content type or content encoding.',
    'Send one of the content types in `detail`, uncompressed.',
  ],
  'range-not-satisfiable': [
    'The `Range` begins at or after the end of the file.',
    'The file is complete, or another one: compare its size with `Content-Range`.',
  ],
  'expectation-failed': [
    'The request has an `Expect` header other than `100-continue`.',
    'Remove the header.',
  ],
  'headers-too-large': ['The request line and headers are too large.', 'Send fewer or shorter headers.'],
  'invalid-pixels': ['A pixel is not a number, or is out of range.', 'Send 0–255, or 0–1 with `pixels=0-1`.'],
  'invalid-image-size': [
    'An image does not have the shape of the model, or is too large to be resized.',
    'Send the `inputShape` of the model, resize the image, or let `fit=contain` do so; models trained on images in folders resize them by default. `MAX_IMAGE_PIXELS` is the limit.',
  ],
  'ambiguous-pixel-range': [
    'Floats have a maximum between 1 and 2, so they may be 0–1 or 0–255.',
    'Send `pixels=0-1` or `pixels=0-255`, or clip the values.',
  ],
  'idempotency-key-reused': [
    'The `Idempotency-Key` came with another request within 24 hours.',
    'Use a new key for a new request.',
  ],
  'request-in-flight': [
    'The first request with this `Idempotency-Key` has no response yet.',
    'Repeat the request with the same key after `Retry-After`.',
  ],
} as const satisfies Partial<Record<ErrorCode, Advice>>;

const ACCESS = {
  unauthenticated: [
    'The request has no API key, or an unknown or expired one.',
    'Send `Authorization: Bearer <key>`; see [API keys](../operations/api-keys.md).',
  ],
  forbidden: [
    'The key does not have the scope of the route.',
    'Use a key with the scope that `detail` names.',
  ],
  'host-not-allowed': [
    'No keys are configured, and the `Host` header names neither this machine nor a host of `ALLOWED_HOSTS`.',
    'Use `localhost`, add the name to `ALLOWED_HOSTS`, or set `API_KEYS`.',
  ],
  'cross-site-request': [
    'No keys are configured, and a web page of another origin sent a request that changes something, or starts an evaluation, a calibration or a training.',
    'Add the origin of the page to `CORS_ORIGINS`, or set `API_KEYS`. Paste the address of a link into the browser.',
  ],
  'keys-required': [
    'No keys are configured, and the request came through a proxy.',
    'Set `API_KEYS`, or `ALLOW_ANONYMOUS=true` if everyone may do everything; see [Behind a proxy](../operations/proxy.md).',
  ],
  'rate-limited': [
    'The key or address sent more than `RATE_LIMIT_PER_MINUTE` requests.',
    'Wait for the seconds in `Retry-After`.',
  ],
} as const satisfies Partial<Record<ErrorCode, Advice>>;

const REFERENCES = {
  'route-not-found': ['The service has no such path.', 'Check the path; `/docs` lists all of them.'],
  'method-not-allowed': ['The path exists, but not with this method.', 'Use a method of the `Allow` header.'],
  'dataset-not-found': [
    'The path names a data set that does not exist.',
    'List them with `GET /v1/datasets`.',
  ],
  'image-not-found': [
    'The split has no image with this index.',
    'Use an index below the number of examples.',
  ],
  'training-job-not-found': [
    'The path names a job that does not exist.',
    'List them with `GET /v1/training-jobs`.',
  ],
  'prediction-job-not-found': [
    'The path names a prediction job that does not exist.',
    'List them with `GET /v1/prediction-jobs`.',
  ],
  'search-not-found': ['The path names a search that does not exist.', 'List them with `GET /v1/searches`.'],
  'model-not-found': [
    'The path names a model or version that does not exist, or whose job has not ended.',
    'Follow the events of the job, then repeat the request.',
  ],
  'alias-not-found': ['The model has no such alias.', 'List them with `GET /v1/models/{name}/aliases`.'],
  'checkpoint-not-found': [
    'The job has no checkpoint at this step: only the best and the last three are kept, and after success what `training.keepCheckpoints` selects.',
    'List them with `GET …/checkpoints`.',
  ],
  'events-deleted': [
    'The job ended so long ago that its events were deleted (`KEEP_EVENTS_DAYS`).',
    'Read the job and its metrics: they are kept.',
  ],
  'unknown-dataset': [
    'A field names a data set that does not exist.',
    'Correct the field; list them with `GET /v1/datasets`.',
  ],
  'unknown-model': [
    'A field names a model, version or checkpoint that does not exist.',
    'Correct the field; list them with `GET /v1/models`.',
  ],
} as const satisfies Partial<Record<ErrorCode, Advice>>;

const REQUESTS = {
  'invalid-model-file': [
    'The file is not a model that can be imported.',
    'See [model files](model-files.md) for the names, shapes and types.',
  ],
  'invalid-dataset-file': [
    'Images or labels cannot be used as a data set.',
    'Correct the part and position in `detail`; see [own data](../guides/own-data.md).',
  ],
  'invalid-gradient-file': [
    'The submitted gradient is not an array of float32 or float64 for this network.',
    'Send what `detail` expects; see [your own gradient](../guides/gradient-checks.md#check-your-own-gradient).',
  ],
  'impossible-request': [
    'Options are valid by themselves but not together, or not for this model.',
    'Change the places in `errors`.',
  ],
  'webhook-not-allowed': [
    'The origin of `notify.url` is not in `WEBHOOK_ORIGINS` (empty by default).',
    'Use an origin that `detail` lists, or ask the operator to add yours; see [webhooks](../guides/webhooks.md).',
  ],
  'check-too-costly': [
    'The gradient check would take longer than a few seconds, or than an hour if its progress is streamed.',
    'Check fewer examples or coordinates, or [stream the progress](../guides/gradient-checks.md#all-coordinates-with-progress), as `detail` suggests.',
  ],
  'evaluation-too-costly': [
    'The evaluation would take longer than half a minute.',
    'Use the split that `detail` suggests.',
  ],
  'path-too-costly': [
    'The SGD path would take longer than half a minute.',
    'Send the options that `detail` suggests. If the training alone takes longer, it has no path.',
  ],
  'illegal-transition': [
    'The status of the job does not allow this change.',
    'Read the job; `detail` lists the changes that are allowed.',
  ],
  'version-in-use': [
    'An alias points at the version, or an unfinished job starts from it or predicts with it.',
    'Move the alias or end the job first.',
  ],
  'not-calibrated': [
    'The version has no calibration, and it cannot be computed from validation images of its training; `detail` has the reason.',
    'Calibrate it with the request that `detail` names, or omit `coverage` and `calibrated`.',
  ],
  'training-job-in-use': [
    'An unfinished job starts from a checkpoint of the job, or verifies it.',
    'Wait for the jobs that `detail` names, or cancel them.',
  ],
  'dataset-in-use': [
    'A job that has not ended trains on the data set or predicts its images, or the data set is built in.',
    'Wait for the job or cancel it.',
  ],
} as const satisfies Partial<Record<ErrorCode, Advice>>;

const SERVICE = {
  'queue-full': ['As many jobs as `QUEUE_LIMIT` are waiting.', 'Wait for the seconds in `Retry-After`.'],
  overloaded: [
    'Too much work is in progress, or the event loop is late.',
    'Wait for the seconds in `Retry-After`.',
  ],
  starting: [
    'The service checks and migrates its database.',
    'Wait for the seconds in `Retry-After`, or until `/health/ready` responds with 200.',
  ],
  draining: [
    'The service is shutting down.',
    'Repeat the request at the next instance, or after the restart.',
  ],
  'worker-replica': [
    'The replica has `ROLE=worker`, and serves only `/health` and `/metrics`.',
    'Send requests to replicas with `ROLE=api` or `ROLE=all`; correct the load balancer.',
  ],
  'storage-unavailable': [
    'PostgreSQL does not answer, or a connection to it was lost. The change may have been stored.',
    'Wait for the seconds in `Retry-After`, then repeat the request, with an `Idempotency-Key` if it creates something.',
  ],
  'storage-full': [
    'The disk of `STATE_DIR` or of PostgreSQL is full.',
    'Free space, for example by deleting models and data sets; active jobs continue by themselves.',
  ],
  'internal-error': ['A defect of the service.', 'Look up the request id in the log, and report it.'],
} as const satisfies Partial<Record<ErrorCode, Advice>>;

const JOBS = {
  'loss-diverged': [
    'The loss is no longer a number, or far above the loss of a guess.',
    'Lower the learning rate, or set `clipNorm`.',
  ],
  'search-failed': [
    'No trial of the search has a result, or its final training failed.',
    'Look at the errors of its trials: `GET /v1/searches/{id}/trials`.',
  ],
  'gradient-check-failed': [
    'The check before the training found a gradient that differs from the differences.',
    'Follow the `advice` of the report.',
  ],
  'kernel-differs': [
    'The float32 kernel does not compute what the float64 reference computes.',
    'Check the hardware; update the service; report it.',
  ],
  'lease-lost': ['Another run has taken over the job. Only the log shows this code.', 'No action is needed.'],
  'worker-crashed': [
    'A thread crashed or hung, for a job three times since its last checkpoint.',
    'Read the log; use a smaller network or fewer jobs at once.',
  ],
  'checkpoint-damaged': [
    'A file of a checkpoint does not match its digest.',
    'Start the training again; check the disk.',
  ],
  'dataset-damaged': [
    'The file of a data set does not match its digest.',
    'Upload the data set again to repair it.',
  ],
} as const satisfies Partial<Record<ErrorCode, Advice>>;

const START = {
  'invalid-configuration': [
    'An environment variable has a value that is not allowed.',
    'Correct the variable; see [configuration](configuration.md).',
  ],
  'invalid-dataset': [
    'The files in `DATA_DIR` are missing or not usable.',
    'Run `npm run data`, or correct `DATA_DIR`.',
  ],
  'state-locked': ['Another process uses `STATE_DIR`.', 'Stop it, or use another folder.'],
  'state-unusable': [
    '`STATE_DIR` or the database of `DATABASE_URL` cannot be read or written, is damaged, or was removed while the service runs.',
    'Correct the permissions, or [restore a backup](../operations/backup.md).',
  ],
} as const satisfies Partial<Record<ErrorCode, Advice>>;

/** A code without cause and remedy does not compile. */
const ADVICE: Readonly<Record<ErrorCode, Advice>> = {
  ...SENT,
  ...ACCESS,
  ...REFERENCES,
  ...REQUESTS,
  ...SERVICE,
  ...JOBS,
  ...START,
};

function errorTable(group: Partial<Record<ErrorCode, Advice>>, hasStatus = true): string {
  const codes = ERROR_CODES.filter((code) => code in group);
  const rows = codes.map((code) => [
    `\`${code}\``,
    ...(hasStatus ? [String(problemStatus(code))] : []),
    ...ADVICE[code],
  ]);
  return table(['code', ...(hasStatus ? ['status'] : []), 'cause', 'remedy'], rows);
}

export const errors = {
  sent: () => errorTable(SENT),
  access: () => errorTable(ACCESS),
  references: () => errorTable(REFERENCES),
  requests: () => errorTable(REQUESTS),
  service: () => errorTable(SERVICE),
  jobs: () => errorTable(JOBS),
  start: () => errorTable(START, false),
};
