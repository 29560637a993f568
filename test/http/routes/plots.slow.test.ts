import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { THEMES } from '../../../src/charts/parts/theme.ts';
import { renderSvg } from '../../../src/charts/render.ts';
import { JOB_PLOTS, VERSION_PLOTS } from '../../../src/domain/reports/plots.ts';
import { sampleCharts } from '../../charts/samples.ts';
import { collectMessages, startBrowser, withoutBrowser } from '../../support/servers/browser.ts';
import { startService, tiny, train } from '../../support/start-service.ts';

const { app } = await startService({ after });
const service = await app.listen({ host: '127.0.0.1', port: 0 });
const training = { epochs: 3, batchSize: 1024, validation: { fraction: 0.8 } };
const job = await train(app, tiny({ modelName: 'plotted', training }));
const options = { skip: withoutBrowser };
const run = promisify(execFile);

/** Runs a command in a mount namespace that hides the fonts of this machine. */
const [command, ...args] = [
  'unshare',
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  '--mount',
  'bash',
  '-c',
  'mount -t tmpfs none /usr/share/fonts && exec "$0" "$@"',
] as const;

interface Text {
  readonly content: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Texts that a chart shows, with the boxes that the browser gives them. Slanted ones are left out: their boxes overlap. */
const textsOf = (page: Page): Promise<Text[]> =>
  page.locator('svg text:not([transform])').evaluateAll((texts) =>
    texts.map((text) => {
      const { left, top, right, bottom } = text.getBoundingClientRect();
      return { content: text.textContent ?? '', left, top, right, bottom };
    }),
  );

/** Texts that are cut at the edge or lie on each other. Boxes are higher than their letters, by about a quarter. */
function defectsOf(texts: readonly Text[], width: number, height: number): string[] {
  const cut = texts.filter(
    ({ left, top, right, bottom }) => left < 0 || top < 0 || right > width || bottom > height,
  );
  const overlapping = texts.flatMap((one, i) =>
    texts
      .slice(i + 1)
      .filter(
        (other) =>
          Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
          Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 4,
      )
      .map((other) => `${one.content} overlaps ${other.content}`),
  );
  return [...cut.map(({ content }) => `${content} is cut`), ...overlapping];
}

test(
  'every plot opened alone shows its texts without a violation of its Content-Security-Policy',
  options,
  async (t) => {
    const page = await (await startBrowser(t)).newPage();
    const messages = collectMessages(page);
    const plots = [
      ...JOB_PLOTS.map((plot) => `/v1/training-jobs/${job.id}/plots/${plot}`),
      ...VERSION_PLOTS.map((plot) => `/v1/models/plotted/versions/1/plots/${plot}`),
    ];
    for (const theme of ['light', 'dark']) {
      for (const plot of plots) {
        const response = await page.goto(`${service}${plot}?theme=${theme}`);
        assert.match(response!.headers()['content-security-policy']!, /default-src 'none'/);
        assert.equal(response!.headers()['cross-origin-resource-policy'], 'same-origin');
        const { width, height } = (await page.locator('svg').boundingBox())!;
        const texts = await textsOf(page);
        assert.ok(texts.length > 5, plot);
        assert.deepEqual(defectsOf(texts, width, height), [], plot);
      }
    }
    assert.deepEqual(messages, []);
  },
);

test('no chart cuts its texts or draws them on each other, at any size', options, async (t) => {
  const page = await (await startBrowser(t)).newPage({ viewport: { width: 2000, height: 1600 } });
  const sizes = [
    [640, 400],
    [240, 160],
    [240, 400],
    [1200, 800],
  ] as const;
  const defects: string[] = [];
  for (const [width, height] of sizes) {
    for (const [name, chart] of sampleCharts({ width, height, theme: THEMES.light })) {
      await page.setContent(`<body style="margin: 0">${renderSvg(chart)}`);
      const found = defectsOf(await textsOf(page), width, height);
      defects.push(...found.map((defect) => `${name} of ${width} × ${height}: ${defect}`));
    }
  }
  assert.deepEqual(defects, []);
});

test('a PNG has the same bytes where no fonts are installed', async (t) => {
  if (spawnSync(command, [...args, 'true']).status !== 0) return t.skip('mounting is not permitted');
  const script = `
    import { createHash } from 'node:crypto';
    import { rasterizeSvg } from './src/charts/rasterize-svg.ts';
    import { renderSvg } from './src/charts/render.ts';
    import { sampleCharts } from './test/charts/samples.ts';
    for (const [name, chart] of sampleCharts()) {
      console.log(name, createHash('sha256').update(rasterizeSvg(renderSvg(chart), 2)).digest('hex'));
    }`;
  const { rasterizeSvg } = await import('../../../src/charts/rasterize-svg.ts');
  const here = Array.from(sampleCharts(), ([name, chart]) => {
    const digest = createHash('sha256')
      .update(rasterizeSvg(renderSvg(chart), 2))
      .digest('hex');
    return `${name} ${digest}\n`;
  }).join('');
  const { stdout } = await run(command, [...args, process.execPath, '--input-type=module', '-e', script], {
    cwd: join(import.meta.dirname, '../../..'),
  });
  assert.equal(stdout, here);
});
