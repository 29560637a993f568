/** The client: train, follow, predict, calibrate, upload and check gradients. */
import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { env, stderr } from 'node:process';
import createClient from 'openapi-fetch';
import { create } from 'tar';
import type { components, paths } from './api.d.ts';
import { JobFailed, ServiceError, send, type TrainingJob, Unreachable } from './errors.ts';
import { followEvents, type JobEvent } from './events.ts';
import { createProgressBar } from './progress.ts';

export type { components, JobEvent, paths, TrainingJob };
export { JobFailed, ServiceError, send, Unreachable };

type Schemas = components['schemas'];
export type TrainingRequest = Schemas['TrainingRequest'];
export type Prediction = Schemas['Predictions']['predictions'][number];
type Predict = paths['/v1/models/{name}/predictions']['post'];
type PredictionQuery = NonNullable<Predict['parameters']['query']>;
type PredictionBody = Predict['requestBody']['content']['application/json'];
type UploadForm = paths['/v1/datasets']['post']['requestBody']['content']['multipart/form-data'];
/** The pixels of an image, 0–255, the path of a PNG, JPEG or WebP file, or its bytes. */
export type Image = readonly number[] | string | Uint8Array;

export interface ClientOptions {
  /** Address of the service; ATELIER_URL or http://localhost:3000 by default. */
  readonly url?: string;
  /** API key; ATELIER_KEY by default. */
  readonly key?: string | undefined;
}

const EVENTS_DELETED = 410;
const newKey = () => ({ 'Idempotency-Key': randomUUID() });

/** Requests are repeated while the service is busy (up to a minute) or cannot be reached (5 seconds). */
export class Client {
  /** Every route, with the types of the contract: `client.api.GET('/v1/models')`. It repeats nothing. */
  readonly api;
  readonly #url: string;
  readonly #headers: Record<string, string>;

  constructor({
    url = env['ATELIER_URL'] || 'http://localhost:3000',
    key = env['ATELIER_KEY'],
  }: ClientOptions = {}) {
    this.#url = (url.includes('://') ? url : `http://${url}`).replace(/\/+$/, '');
    this.#headers = key ? { authorization: `Bearer ${key}` } : {};
    this.api = createClient<paths, 'application/json' | 'application/problem+json'>({
      baseUrl: this.#url,
      headers: this.#headers,
    });
  }

  /**
   * Starts a training job and returns it, when it has ended unless `wait` is false.
   * @throws JobFailed
   */
  async train(recipe: TrainingRequest, { wait = true } = {}): Promise<TrainingJob> {
    const params = { header: newKey() };
    const job = await send(() => this.api.POST('/v1/training-jobs', { params, body: recipe }));
    return wait ? this.follow(job.id) : job;
  }

  /**
   * Waits until a job has ended, and returns it.
   * @param onEvent called with each event; draws a progress bar by default, if stderr is a terminal
   * @throws JobFailed
   */
  async follow(id: string, onEvent?: (event: JobEvent) => void): Promise<TrainingJob> {
    const readJob = () => send(() => this.api.GET('/v1/training-jobs/{id}', { params: { path: { id } } }));
    const isDrawn = onEvent === undefined && stderr.isTTY;
    const bar = isDrawn ? createProgressBar((await readJob()).training.epochs) : null;
    try {
      for await (const event of this.events(id)) (onEvent ?? bar?.show)?.(event);
    } catch (error) {
      // The events of an old job may have been deleted; its result is still there.
      if (!(error instanceof ServiceError && error.status === EVENTS_DELETED)) throw error;
    } finally {
      bar?.clear();
    }
    const ended = await readJob();
    if (ended.status !== 'succeeded') throw new JobFailed(ended);
    return ended;
  }

  /** Yields the events of a job as they occur, each once, until it has ended; over lost connections. */
  events(id: string): AsyncGenerator<JobEvent> {
    return followEvents(`${this.#url}/v1/training-jobs/${encodeURIComponent(id)}/events`, this.#headers);
  }

  /**
   * Classifies images.
   * @param model name, name@version or name@alias
   * @param query parameters of the route, such as `{ topK: 3, fit: 'contain' }`; with `{ coverage: 0.95 }`, each prediction has
   *   the set of `classes` that contains the true one that often, `unsure` and `unsureBecause`
   */
  async predict(model: string, images: readonly Image[], query: PredictionQuery = {}): Promise<Prediction[]> {
    const [name = '', version] = model.split('@');
    const body = { images: await Promise.all(images.map(encode)) } as PredictionBody;
    const { predictions } = await send(() =>
      version === undefined
        ? this.api.POST('/v1/models/{name}/predictions', { params: { path: { name }, query }, body })
        : this.api.POST('/v1/models/{name}/versions/{version}/predictions', {
            params: { path: { name, version }, query },
            body,
          }),
    );
    return predictions;
  }

  /**
   * Calibrates a version for predictions with `coverage` or `calibrated`. One that held out validation images needs no call.
   * @param model name@version or name@alias; a name alone means its champion
   * @param request data set and split, by default the test split of the data set of the training; also `validation`
   */
  async calibrate(
    model: string,
    request: Schemas['CalibrationRequest'] = {},
  ): Promise<Schemas['Calibration']> {
    const [name = '', given] = model.split('@');
    const version = given ?? (await this.#servedVersion(name));
    const params = { path: { name, version } };
    return send(() =>
      this.api.POST('/v1/models/{name}/versions/{version}/calibration', { params, body: request }),
    );
  }

  async #servedVersion(name: string): Promise<string> {
    const model = await send(() => this.api.GET('/v1/models/{name}', { params: { path: { name } } }));
    return String(model.aliases['champion'] ?? model.latest.version);
  }

  /**
   * Uploads a data set and returns it.
   * @param path a folder with a folder of images for each class, an archive of it, or an npz file
   * @param fields of `POST /v1/datasets`, such as `{ name: 'Shapes', testFraction: '0.2' }`
   */
  async upload(path: string, fields: Omit<UploadForm, 'file'> = {}): Promise<Schemas['Dataset']> {
    const folder = await mkdtemp(join(tmpdir(), 'atelier-'));
    try {
      const isFolder = (await stat(path)).isDirectory();
      const file = isFolder ? join(folder, 'images.tar') : path;
      if (isFolder) await create({ file, cwd: path, follow: true, portable: true }, ['.']);
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append('file', await openAsBlob(file), basename(file));
      const params = { header: newKey() };
      return await send(() =>
        this.api.POST('/v1/datasets', { params, body: fields, bodySerializer: () => form }),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  /**
   * Compares the gradient of a network with finite differences.
   * @param gradient your own gradient, an npy or npz file or its bytes; the report then has `submitted`
   */
  async checkGradient(
    request: Schemas['GradientCheckRequest'],
    gradient?: string | Uint8Array<ArrayBuffer>,
  ): Promise<Schemas['GradientCheck']> {
    const path = '/v1/gradient-checks';
    if (gradient === undefined) return send(() => this.api.POST(path, { body: request }));
    const form = new FormData();
    form.append('request', JSON.stringify(request));
    const file = typeof gradient === 'string' ? await openAsBlob(gradient) : new Blob([gradient]);
    form.append('gradient', file, 'gradient');
    return send(() => this.api.POST(path, { body: request, bodySerializer: () => form }));
  }
}

async function encode(image: Image): Promise<readonly number[] | { b64: string }> {
  if (typeof image !== 'string' && !(image instanceof Uint8Array)) return image;
  const bytes = typeof image === 'string' ? await readFile(image) : Buffer.from(image);
  return { b64: bytes.toString('base64') };
}
