/**
 * Trains a model and predicts with it. Survives lost connections, and restarts of the service.
 *
 * Usage: node train-and-predict.mjs recipe.json images.npy image.png
 *
 * Needs Node 20 or later and no packages. ATELIER_URL and ATELIER_KEY set the address of the service and an API key.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const { ATELIER_URL = 'http://localhost:3000', ATELIER_KEY } = process.env;
const REPEATED_STATUSES = [429, 502, 503, 504];
/** Code of the 409 while an earlier attempt with the same Idempotency-Key, whose response was lost, is in progress. */
const IN_FLIGHT = 'request-in-flight';
const MOST_ATTEMPTS = 13;
/** Longer than the longest wait for a job. */
const TIMEOUT_MS = 90_000;

/** Milliseconds before the next attempt: as `Retry-After` demands, else up to 0.5, 1, 2, 4, 8, 10, 10 … seconds. */
function delayBefore(attempt, response) {
  const retryAfter = response?.headers.get('retry-after');
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  // Different delays, so that many clients do not come back at once.
  return Math.min(10_000, 250 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/**
 * Sends a request, and again after 429, 502, 503, 504 and `request-in-flight`, and after a lost connection. Every method is repeated, also
 * POST: predictions change nothing, and a job is created once because of its Idempotency-Key.
 * @returns the body
 * @throws an Error with the detail of the problem
 */
async function call(path, { headers, ...options } = {}) {
  const authorization = ATELIER_KEY && { authorization: `Bearer ${ATELIER_KEY}` };
  for (let attempt = 1; ; attempt++) {
    let response;
    try {
      response = await fetch(ATELIER_URL + path, {
        ...options,
        headers: { ...authorization, ...headers },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const body = Buffer.from(await response.arrayBuffer());
      if (response.ok) return body;
      const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
      const { code, detail } = isProblem ? JSON.parse(body) : { detail: response.statusText };
      const isRepeated = REPEATED_STATUSES.includes(response.status) || code === IN_FLIGHT;
      if (!isRepeated || attempt === MOST_ATTEMPTS) {
        throw new Error(`${response.status}: ${detail}`);
      }
    } catch (error) {
      // fetch reports a lost connection as a TypeError.
      const isLost = error instanceof TypeError || error.name === 'TimeoutError';
      if (!isLost || attempt === MOST_ATTEMPTS) throw error;
    }
    await sleep(delayBefore(attempt, response));
  }
}

const callJson = async (path, options) => JSON.parse(await call(path, options));

/** Starts a job, waits for its end, and returns it. */
async function train(recipe) {
  // One key for all repeats of this request: whichever of them arrive, there is one job.
  const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() };
  let job = await callJson('/v1/training-jobs', { method: 'POST', headers, body: recipe });
  console.log(`${job.id} is ${job.status}`);
  while (job.finishedAt === null) {
    // The response is delayed until the job has ended, for at most 30 seconds.
    job = await callJson(`/v1/training-jobs/${job.id}`, { headers: { prefer: 'wait=30' } });
  }
  if (job.status !== 'succeeded') throw new Error(`The job is ${job.status}: ${job.error?.message}`);
  return job;
}

/** @returns the most probable class of each image, with its label, className and probability */
async function predict(model, type, body) {
  const path = `/v1/models/${model.name}/versions/${model.version}/predictions?topK=1`;
  const response = await callJson(path, { method: 'POST', headers: { 'content-type': type }, body });
  return response.predictions;
}

const [recipe, batch, png] = process.argv.slice(2);
const { model } = await train(await readFile(recipe));
console.log(`published ${model.name}@${model.version}`);
const labels = await predict(model, 'application/x-npy', await readFile(batch));
console.log(`${batch}: ${labels.length} images, the first has label ${labels[0].label}`);
const [{ className }] = await predict(model, 'image/png', await readFile(png));
console.log(`${png}: ${className}`);
