/** Parses the text format of Prometheus. */
import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';

const LINE =
  /^(?<name>[a-z_][a-z0-9_]*)(?:\{(?<labels>[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*)\})? (?<value>[-+]?(?:[0-9.e+-]+|Inf)|Nan)$/i;

/** Values by sample name and labels; labels are sorted by name. */
export function parseSamples(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# ')) continue;
    const { name, labels, value } = LINE.exec(line)?.groups ?? assert.fail(`not a sample: ${line}`);
    samples.set(`${name}{${(labels ?? '').split(',').toSorted().join()}}`, Number(value));
  }
  return samples;
}

export async function collect(app: FastifyInstance): Promise<(sample: string) => number | undefined> {
  const response = await app.inject('/metrics');
  assert.equal(response.statusCode, 200, response.body);
  const samples = parseSamples(response.body);
  return (sample) => samples.get(sample);
}
