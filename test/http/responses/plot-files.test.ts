import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import type { PlotQuery } from '../../../src/domain/reports/plots.ts';
import { createPlotSender, plotFormat } from '../../../src/http/responses/plot-files.ts';

let draws = 0;
async function draw() {
  draws++;
  return { svg: '<svg/>', width: 1, height: 1 };
}
const plots = {
  toPng: async ({ svg }: { svg: string }, density: number) => Buffer.from(`${density} ${svg}`),
};

interface Options {
  readonly isShared?: boolean;
  /** The tag, if it is known before the plot is drawn. */
  readonly tag?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests a plot, of density 2 by default. */
async function get(query: Partial<PlotQuery>, { isShared = false, tag, headers = {} }: Options = {}) {
  const app = Fastify();
  const send = createPlotSender(plots, isShared);
  app.get('/', (request, reply) => {
    const asked = { density: 2, ...query } as PlotQuery;
    const format = plotFormat(request, reply, asked);
    const known = tag === undefined ? {} : { tag };
    return send(request, reply, asked, { name: 'p', format, isImmutable: tag !== undefined, draw, ...known });
  });
  draws = 0;
  return app.inject({ url: '/', headers });
}

test('a plot is SVG by default, and PNG by the query or the Accept header', async () => {
  const svg = await get({});
  assert.deepEqual([svg.headers['content-type'], svg.body], ['image/svg+xml', '<svg/>']);
  for (const png of [
    await get({ format: 'png' }),
    await get({}, { headers: { accept: 'image/png' } }),
    await get({ format: 'png' }, { headers: { accept: 'image/svg+xml' } }),
  ])
    assert.deepEqual([png.headers['content-type'], png.body], ['image/png', '2 <svg/>']);
  assert.equal((await get({}, { headers: { accept: 'text/csv' } })).statusCode, 500);
});

test('a plot has a file name, and may be embedded if it is shared', async () => {
  const { headers } = await get({ format: 'png' });
  assert.equal(headers['content-disposition'], 'inline; filename="p.png"');
  assert.deepEqual(
    [headers['cache-control'], headers['cross-origin-resource-policy']],
    ['private, no-cache', undefined],
  );
  const shared = (await get({}, { isShared: true, tag: '"t"' })).headers;
  assert.deepEqual(
    [shared['cache-control'], shared['cross-origin-resource-policy'], shared['content-disposition']],
    ['private, max-age=31536000, immutable', 'cross-origin', 'inline; filename="p.svg"'],
  );
});

test('a plot whose tag is known is drawn only if the client does not have it', async () => {
  const known = await get({}, { tag: '"t"', headers: { 'if-none-match': '"t"' } });
  assert.deepEqual([known.statusCode, draws], [304, 0]);
  const other = await get({}, { tag: '"t"' });
  assert.deepEqual([other.statusCode, other.headers.etag, draws], [200, '"t"', 1]);
});

test('the tag of another plot depends on its content, and for PNG on the density', async () => {
  const queries: Partial<PlotQuery>[] = [
    {},
    { density: 3 },
    { format: 'png' },
    { format: 'png', density: 3 },
  ];
  const found: unknown[] = [];
  for (const query of queries) found.push((await get(query)).headers.etag);
  assert.equal(found[0], found[1]);
  assert.equal(new Set(found).size, 3);
  const again = await get({}, { headers: { 'if-none-match': String(found[0]) } });
  assert.deepEqual([again.statusCode, draws], [304, 1]);
});
