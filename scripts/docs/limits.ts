/** The tables of docs/reference/limits.md, from the constants that enforce the limits. */

import { readConfig } from '../../src/config/read.ts';
import { MAX_ARCHIVE_FILES } from '../../src/datasets/upload/folders/archive.ts';
import { DECODING_BYTES, MAX_FILE_BYTES } from '../../src/datasets/upload/folders/images.ts';
import { MAX_INFLATED_BYTES } from '../../src/datasets/upload/tables/open-parquet.ts';
import { MAX_API_KEYS } from '../../src/domain/api-key.ts';
import { MAX_CLASSES, MIN_CLASSES } from '../../src/domain/datasets/representation.ts';
import { MAX_SIDE, MIN_SIDE } from '../../src/domain/image-shape.ts';
import { MAX_COVERAGE, MIN_COVERAGE } from '../../src/domain/models/calibration.ts';
import { MAX_PLOT_PIXELS } from '../../src/domain/reports/plots.ts';
import { NPY_MAX_HEADER_BYTES } from '../../src/formats/arrays/npy-header.ts';
import { MAX_UNPACKED_BYTES } from '../../src/formats/arrays/npz.ts';
import { BODY_LIMITS } from '../../src/formats/json/limits.ts';
import { MAX_HIDDEN_LAYERS, MAX_UNITS } from '../../src/formats/models/pack-layers.ts';
import { MAX_FOOTER_BYTES, MAX_GROUPS, MAX_PAGE_BYTES } from '../../src/formats/parquet/open.ts';
import { DATASET_FORM_LIMITS, MODEL_FORM_LIMITS } from '../../src/http/bodies/form.ts';
import { IMAGE_FORM_LIMITS } from '../../src/http/bodies/image-form.ts';
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from '../../src/http/bodies/json.ts';
import {
  MAX_CLIENT_CONNECTIONS,
  MAX_CLIENT_STREAMS,
} from '../../src/http/hooks/connections/client-limits.ts';
import {
  CONNECTION_LIMITS,
  MAX_HEADER_BYTES,
  MAX_PATH_PARAMETER_CHARS,
} from '../../src/http/hooks/connections/limits.ts';
import {
  CRITICAL_FACTOR,
  LOW_PRIORITY_FRACTION,
  MAX_WAITING_READS,
} from '../../src/http/hooks/overload/backpressure.ts';
import {
  LARGE_BODY_BYTES,
  MAX_CLIENT_LARGE_BODIES,
  MAX_LARGE_BODIES,
  MIN_LARGE_BODY_BYTES_PER_SECOND,
} from '../../src/http/hooks/overload/large-bodies.ts';
import {
  LARGE_RESPONSE_BYTES,
  MAX_UNSENT_BYTES,
  UNSENT_FRACTION,
} from '../../src/http/hooks/overload/large-responses.ts';
import { MAX_DRAIN_IDLE_MS, MAX_DRAIN_MS } from '../../src/http/responses/drain-request.ts';
import { MAX_WAIT_SECONDS } from '../../src/http/responses/preferred-wait.ts';
import { MAX_JSON_BODY_BYTES } from '../../src/http/server-options.ts';
import { MAX_ENCODED_IMAGES } from '../../src/images/base64.ts';
import { MAX_WAITING, SMALL_WORK } from '../../src/images/slots.ts';
import { MAX_CALIBRATION_IMAGES, MIN_CALIBRATION_IMAGES } from '../../src/numerics/calibration/fit.ts';
import { MAX_READ } from '../../src/numerics/checks/submitted/effort.ts';
import { REQUESTS_FRACTION_OF_GRACE } from '../../src/process/start.ts';
import { MAX_EXPLAINED_IMAGES } from '../../src/protocols/kserve-v1/schema.ts';
import { CELL_BYTES, MAX_NUMBERS, MIN_ROW_BYTES } from '../../src/protocols/mlflow/csv-table.ts';
import { MAX_IMAGES } from '../../src/protocols/native/few-images.ts';
import { MAX_LOADED_BYTES } from '../../src/services/inspection/calibrations.ts';
import { MAX_EVALUATION_COST } from '../../src/services/inspection/evaluations.ts';
import {
  MAX_COST,
  MAX_PARAMETERS,
  MAX_STREAMED_COST,
} from '../../src/services/inspection/gradient-checks.ts';
import { MAX_PATH_SECONDS } from '../../src/services/inspection/sgd-paths.ts';
import { MAX_API_KEYS_FILE_BYTES } from '../../src/services/keys/file.ts';
import { GARBAGE_FRACTION, IDLE_BYTES, REQUEST_FRACTION } from '../../src/services/memory/ledger.ts';
import { MAX_BYTES, MAX_LOADED } from '../../src/services/models/cache.ts';
import { MAX_EXPORTED_BYTES, MAX_JSON_PARAMETERS } from '../../src/services/models/exports.ts';
import { MAX_FORM_IMAGES } from '../../src/services/predictions/image-decoder.ts';
import { MAX_RESULT_BYTES } from '../../src/services/predictions/jobs.ts';
import { MAX_SECONDS } from '../../src/services/queueing/retry-after.ts';
import { HELD_JOBS_FACTOR } from '../../src/store/jobs/repository.ts';
import { MAX_QUEUED } from '../../src/workers/threads/pool.ts';
import { bytes, count, duration, power, table } from './table.ts';

const config = readConfig({});
const square = (pixels: number) => `${Math.sqrt(pixels)}×${Math.sqrt(pixels)} pixels`;
const percent = (fraction: number) => `${100 * fraction} %`;
const { headersMs, requestMs, uploadMs, stallMs, minReadBytesPerSecond, keepAliveMs, connections } =
  CONNECTION_LIMITS;
const seconds = config.shutdownGraceSeconds;

/** Arrays of a nested image of 32×32×3: itself, its rows and its pixels; and its values. */
const [COLOUR_ARRAYS, COLOUR_VALUES] = [1 + 32 + 32 * 32, 32 * 32 * 3];

const requests = [
  ['body with images, file of a gradient', `\`MAX_BODY_BYTES\`, ${bytes(config.maxBodyBytes)}`, '413'],
  ['any other body', bytes(MAX_JSON_BODY_BYTES), '413'],
  ['JSON without images', `${MAX_JSON_DEPTH} levels, ${count(MAX_JSON_VALUES)} values`, '400'],
  [
    'JSON of other protocols',
    `${BODY_LIMITS.depth} levels, ${count(BODY_LIMITS.values)} values, of these ${count(BODY_LIMITS.parts!)} objects, arrays and strings; in grey images with a channel, such as 28×28×1, the arrays of one number do not count; a nested image in colour has an array for each pixel, so about ${count(Math.floor(BODY_LIMITS.parts! / COLOUR_ARRAYS))} of 32×32×3 fit, and ${count(Math.floor(BODY_LIMITS.values / COLOUR_VALUES))} that are flat`,
    '400',
  ],
  [
    'CSV',
    `${count(MAX_NUMBERS)} numbers, rows of ${bytes(MIN_ROW_BYTES)}, or of ${CELL_BYTES} bytes a value of the image if that is more`,
    '400',
  ],
  ['encoded images in JSON', count(MAX_ENCODED_IMAGES), '400'],
  ['images of one `:explain`', count(MAX_EXPLAINED_IMAGES), '400'],
  [
    'form of images',
    `${count(IMAGE_FORM_LIMITS.files)} files, \`MAX_BODY_BYTES\` together`,
    '413; 400 for a field that is not a file',
  ],
  [
    'form of a model',
    `${MODEL_FORM_LIMITS.files} file, ${MODEL_FORM_LIMITS.fields} fields of ${bytes(MODEL_FORM_LIMITS.fieldBytes)} each`,
    '400',
  ],
  [
    'form of a data set',
    `${DATASET_FORM_LIMITS.fields} fields of ${bytes(DATASET_FORM_LIMITS.fieldBytes)} each`,
    '400',
  ],
  [
    'data set',
    `\`MAX_DATASET_BYTES\`, ${bytes(config.maxDatasetBytes)}, and what fits into the [memory](#memory) when unpacked`,
    '413; 422 for the unpacked size',
  ],
  [
    'file of a prediction job',
    `\`MAX_DATASET_BYTES\`, ${bytes(config.maxDatasetBytes)}`,
    '413; 400 for the unpacked size',
  ],
  [
    'archive of images',
    `${count(MAX_ARCHIVE_FILES)} files; each image ${bytes(MAX_FILE_BYTES)}, \`MAX_IMAGE_PIXELS\` and ${bytes(DECODING_BYTES)} of memory to decode it`,
    '422 with the name of the image',
  ],
  [
    'Parquet',
    `footer ${bytes(MAX_FOOTER_BYTES)}, page ${bytes(MAX_PAGE_BYTES)} unpacked, ${count(MAX_GROUPS)} row groups; compressed files of an archive ${bytes(MAX_INFLATED_BYTES)} together`,
    '422',
  ],
  ['image of a data set or a model', `${MIN_SIDE} to ${MAX_SIDE} pixels a side, 1 or 3 channels`, '422'],
  ['classes of a data set', `${MIN_CLASSES} to ${MAX_CLASSES}`, '422'],
  ['model file', `${bytes(MAX_UNPACKED_BYTES)} unpacked`, '422'],
  [
    'images of a calibration',
    `at least ${count(MIN_CALIBRATION_IMAGES)}; of more than ${count(MAX_CALIBRATION_IMAGES)}, as many are used`,
    '422; 409 for the validation images of a training',
  ],
  ['`coverage`', `${MIN_COVERAGE} to ${MAX_COVERAGE}`, '400'],
  ['network', `${MAX_HIDDEN_LAYERS} hidden layers of ${count(MAX_UNITS)} units`, '400; 422 for a model file'],
  ['encoded image', 'the size of the model, known from its header', '422, before anything is decoded'],
  [
    'encoded image that is resized',
    `\`MAX_IMAGE_PIXELS\`, ${square(config.maxImagePixels)}`,
    '422, before anything is decoded',
  ],
  [
    'form or JSON of encoded images that are resized',
    `${MAX_FORM_IMAGES} times as many pixels together`,
    '413, before anything is decoded',
  ],
  ['header of an npy array', bytes(NPY_MAX_HEADER_BYTES), '400, as for data that does not match its header'],
  ['request line and headers', bytes(MAX_HEADER_BYTES), '431'],
  ['an id or name in a path', `${MAX_PATH_PARAMETER_CHARS} characters`, '404'],
  [
    'compressed bodies',
    'none; gzip and deflate for `/v2/…/infer`, `:predict`, `:explain` and `/invocations`, inflated up to `MAX_BODY_BYTES` and counted as large',
    '415; 413 for the inflated size',
  ],
];

const times = [
  ['headers, from the first byte or the connection', duration(headersMs), '408, the connection is closed'],
  ['whole request, however steadily it arrives', duration(requestMs), '408, the connection is closed'],
  ['upload of a data set', duration(uploadMs), '408, the connection is closed'],
  ['pause within a body', duration(stallMs), '408, the connection is closed'],
  ['pause of a client that does not read its response', duration(stallMs), 'the connection is closed'],
  [
    `reading a response of more than ${bytes(LARGE_RESPONSE_BYTES)}`,
    `at least ${bytes(minReadBytesPerSecond)}/s over ${duration(stallMs)}`,
    'the connection is closed',
  ],
  ['pause between two requests', duration(keepAliveMs), 'the connection is closed'],
  [
    'pause within the rest of a rejected body',
    duration(MAX_DRAIN_IDLE_MS),
    'the connection is closed after the response',
  ],
  [
    'rest of a rejected body, however steadily it arrives',
    duration(MAX_DRAIN_MS),
    'the connection is closed after the response',
  ],
  [
    'gradient check (takes seconds)',
    `${power(MAX_COST)} multiply-adds, ${count(MAX_PARAMETERS)} parameters`,
    '422, with the largest check that fits',
  ],
  [
    'trying mistakes on a submitted gradient',
    `${power(MAX_READ)} numbers read, counted as multiply-adds of the check`,
    '`triedAll` is false: blocks without a hint may contain a mistake',
  ],
  [
    'gradient check whose progress is streamed (takes up to an hour)',
    `${power(MAX_STREAMED_COST)} multiply-adds`,
    '422, with the largest check that fits',
  ],
  [
    'evaluation or comparison (takes half a minute)',
    `${power(MAX_EVALUATION_COST)} multiply-adds`,
    '422, with advice',
  ],
  [
    'path of a training',
    `${MAX_PATH_SECONDS} estimated seconds, training again included`,
    '422, with advice',
  ],
  ['images with `?diagnose=true`', count(MAX_IMAGES.diagnose), '422'],
  ['images with `?input=true`', count(MAX_IMAGES.input), '422'],
  ['PNG of a plot', `${count(MAX_PLOT_PIXELS)} pixels`, '422'],
  ['export as JSON', `${count(MAX_JSON_PARAMETERS)} parameters`, '422, with another format'],
  ['training', 'what fits into the [memory](#memory), by an estimate', '422, or queued if it fits later'],
  [
    'shutdown after SIGTERM',
    `\`SHUTDOWN_GRACE_SECONDS\`, ${seconds} s`,
    `requests in flight are cut off after ${seconds * REQUESTS_FRACTION_OF_GRACE} s`,
  ],
];

const concurrency = [
  ['connections', count(connections), 'closed at once'],
  ['connections of one address', count(MAX_CLIENT_CONNECTIONS), 'closed at once'],
  [
    'requests of one connection whose response has not ended',
    `${count(CONNECTION_LIMITS.pipelined)}; none behind a stream of events`,
    'the connection is closed',
  ],
  [
    'streams of events and waits for a job (`Prefer: wait`) of one client, together',
    count(MAX_CLIENT_STREAMS),
    '503; a wait ends at once instead',
  ],
  ['a wait for a job', `${MAX_WAIT_SECONDS} s`, 'a longer one is shortened'],
  [
    `bodies of more than ${bytes(LARGE_BODY_BYTES)}`,
    `${MAX_LARGE_BODIES}; ${MAX_CLIENT_LARGE_BODIES} of one client`,
    `503; a client below ${bytes(MIN_LARGE_BODY_BYTES_PER_SECOND)}/s loses its slot to the next one, 408`,
  ],
  [
    'responses in memory that clients have not read yet',
    `1/${1 / UNSENT_FRACTION} of the memory, at most ${bytes(MAX_UNSENT_BYTES)}; half of it for one client`,
    '503; from half of either limit on, 503 before anything is computed',
  ],
  ['exports that clients are reading, on the disk', bytes(MAX_EXPORTED_BYTES), '503'],
  ['results of prediction jobs that clients are reading, on the disk', bytes(MAX_RESULT_BYTES), '503'],
  ['requests waiting for a thread, in each pool', count(MAX_QUEUED), '503'],
  [
    'requests waiting for their encoded images',
    `${count(MAX_WAITING.large)}; with up to ${SMALL_WORK.images} images of ${square(SMALL_WORK.pixels)} together, ${count(MAX_WAITING.small)}`,
    '503',
  ],
  [
    'models in memory',
    `${MAX_LOADED}, of ${bytes(MAX_BYTES)} together`,
    'the least recently used one is read again when it is needed',
  ],
  [
    'calibrations in memory',
    bytes(MAX_LOADED_BYTES),
    'the least recently used one is read again when it is needed',
  ],
  [
    'data sets in memory',
    '`MAX_DATASET_BYTES`',
    'the least recently used one is read again when it is needed',
  ],
  [
    'queued training jobs; queued prediction jobs, apart from them',
    `\`QUEUE_LIMIT\`, ${count(config.queueLimit)}`,
    `429; for training jobs, \`Retry-After\` is the time until the first running one ends, at most ${duration(MAX_SECONDS * 1000)}`,
  ],
  [
    'API keys',
    `${count(MAX_API_KEYS)}, in a file of ${bytes(MAX_API_KEYS_FILE_BYTES)}`,
    'the service does not start; a later version of the file is not used',
  ],
  [
    'queued and paused training jobs together; prediction jobs likewise',
    `${HELD_JOBS_FACTOR} times \`QUEUE_LIMIT\`, ${count(HELD_JOBS_FACTOR * config.queueLimit)}`,
    '429 for new jobs; pausing always works',
  ],
  ['requests per minute of a key or address', '`RATE_LIMIT_PER_MINUTE`, off', '429'],
  ['lists waiting for their turn', count(MAX_WAITING_READS), '503'],
  [
    'delay of the event loop, slight',
    `${LOW_PRIORITY_FRACTION * 100} % of \`MAX_EVENT_LOOP_DELAY_MS\`, ${config.maxEventLoopDelayMs * LOW_PRIORITY_FRACTION} ms`,
    '503 for lists and metrics of jobs',
  ],
  [
    'delay of the event loop',
    `\`MAX_EVENT_LOOP_DELAY_MS\`, ${config.maxEventLoopDelayMs} ms`,
    '503 for new work',
  ],
  [
    'delay of the event loop, severe',
    `${CRITICAL_FACTOR} times as much`,
    '503 for everything except health and metrics',
  ],
];

const memory = [
  ['the service itself', `${bytes(IDLE_BYTES)} and ${percent(GARBAGE_FRACTION)} of the limit`],
  ['jobs, of the rest', percent(1 - REQUEST_FRACTION)],
  ['requests, of the rest, while jobs run', 'what jobs leave'],
  ['requests, of the rest, while a job is waiting for memory', percent(REQUEST_FRACTION)],
];

const head = ['what', 'limit', 'beyond it'];

export const limits = {
  requests: () => table(head, requests),
  times: () => table(head, times),
  concurrency: () => table(head, concurrency),
  memory: () => table(['what', 'memory'], memory),
};
