/** The page: its weight, and how long Chromium takes to show it. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { encodeForm } from '../../test/http/upload.ts';
import { startBrowser, withoutBrowser } from '../../test/support/servers/browser.ts';
import { median } from '../machine.ts';
import { ROOT } from '../measure/command.ts';
import type { Goal, Report, Table } from '../measure/report.ts';
import { cancelJob, type Server, startAtelier, untilJob, withState } from '../measure/servers.ts';
import { readable, spread } from '../measure/statistics.ts';
import { type Effort, takeTurns } from '../measure/turns.ts';
import {
  clickUntilDrawn,
  epochIsDrawn,
  FORM_IS_DRAWN,
  headingIs,
  type Loaded,
  layoutShift,
  visit,
} from '../measure/visits.ts';

const DIGITS = join(ROOT, 'test/fixtures/datasets/digits.npz');

const SLOWED = 'a processor four times slower and slow 4G (1.6 Mbit/s, 150 ms)';

/** One measurement. */
interface Turn {
  readonly ms: number;
  readonly shift?: number;
  readonly loaded?: readonly Loaded[];
}

export async function page(effort: Effort): Promise<Report> {
  const weights = weigh();
  const [turns, skipped] = withoutBrowser
    ? [new Map<string, Turn[]>(), [`times, because ${withoutBrowser}`]]
    : [await visits(effort), []];
  return {
    title: 'The page',
    method:
      `Chromium without a display, 1280 × 800 pixels, an empty cache in each visit. Times begin with the navigation or the click, and end with the frame that shows the result; median of ${effort.visits} visits. ` +
      'The browser shares the processors with the service.',
    versions: [],
    skipped,
    tables: [weightTable(weights), ...(turns.size > 0 ? [requestTable(turns), timeTable(turns)] : [])],
    goals: goals(weights, turns, effort),
  };
}

interface Weight {
  readonly file: string;
  readonly bytes: number;
  readonly compressed: number;
}

/** The committed files, compressed by gzip -9. */
const weigh = (): Weight[] =>
  globSync('src/http/page/*.{html,css,js}', { cwd: ROOT }).map((file) => {
    const bytes = readFileSync(join(ROOT, file));
    return { file: basename(file), bytes: bytes.length, compressed: gzipSync(bytes, { level: 9 }).length };
  });

/** What the browser takes for any page. */
const HEADING = 'a heading and nothing else';
const FORM = 'form';
const FORM_SLOWED = 'form, slowed';
const SCREEN = 'a screen of the second file';
const SCREEN_SLOWED = 'a screen of the second file, slowed';
const FIRST_EPOCH = 'click → first epoch';
const LONG_JOB = 'job of many epochs';

function visits(effort: Effort): Promise<Map<string, Turn[]>> {
  return withState(async (state) => {
    const server = await startAtelier(state, { DATASETS: 'fashion-mnist' });
    const cleanUps: (() => unknown)[] = [];
    try {
      const browser = await startBrowser({ after: (cleanUp) => cleanUps.push(cleanUp) });
      const job = await trainLong(server, effort.pageEpochs);
      const form = { url: `${server.url}/`, isDrawn: FORM_IS_DRAWN };
      const screen = { url: `${server.url}/#/check`, isDrawn: headingIs('Check') };
      const long = { url: `${server.url}/#/jobs/${job}`, isDrawn: epochIsDrawn(effort.pageEpochs) };
      const opens = (options: Parameters<typeof visit>[1]) => () =>
        visit(
          browser,
          options,
          async ({ page, drawnMs, loaded }): Promise<Turn> => ({
            ms: drawnMs,
            loaded,
            shift: await layoutShift(page),
          }),
        );
      const heading = { url: 'data:text/html,<h1>Atelier</h1>', isDrawn: headingIs('Atelier') };
      const contestants = [
        { name: HEADING, measure: opens(heading) },
        { name: FORM, measure: opens(form) },
        { name: FORM_SLOWED, measure: opens({ ...form, isSlow: true }) },
        { name: SCREEN, measure: opens(screen) },
        { name: SCREEN_SLOWED, measure: opens({ ...screen, isSlow: true }) },
        { name: FIRST_EPOCH, measure: () => trainFirstEpoch(browser, server) },
        { name: LONG_JOB, measure: opens(long) },
      ];
      return await takeTurns(contestants, effort.visits);
    } finally {
      for (const cleanUp of cleanUps) await cleanUp();
      await server.stop();
    }
  });
}

/** Clicks Train with the defaults of the form. */
const trainFirstEpoch = (browser: Browser, { url }: Server): Promise<Turn> =>
  visit(browser, { url: `${url}/`, isDrawn: FORM_IS_DRAWN }, async ({ page }) => {
    await page.waitForLoadState('networkidle');
    const ms = await clickUntilDrawn(page, 'form button[type=submit]', epochIsDrawn(1));
    await cancelJob(url, new URL(page.url()).hash.split('/').at(-1)!);
    return { ms };
  });

/** Trains for so many epochs on small images. @returns the id of the job */
async function trainLong({ url }: Server, epochs: number): Promise<string> {
  const { payload, headers } = await encodeForm({ name: 'Digits', file: readFileSync(DIGITS) });
  const { id: dataset } = await post(`${url}/v1/datasets`, new Uint8Array(payload), headers);
  const request = {
    dataset,
    modelName: 'long',
    network: { hidden: [4] },
    training: { epochs, batchSize: 512 },
    publish: { evenIfNotLearned: true },
  };
  const { id } = await post(`${url}/v1/training-jobs`, JSON.stringify(request), {
    'content-type': 'application/json',
  });
  process.stderr.write(`training for ${epochs} epochs\n`);
  await untilJob(url, id, ({ status }) => status === 'succeeded');
  return id;
}

async function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Promise<{ readonly id: string }> {
  const response = await fetch(url, { method: 'POST', body, headers });
  if (!response.ok) throw new Error(`${url} responded with ${response.status}: ${await response.text()}`);
  return (await response.json()) as { id: string };
}

const kilobytes = (bytes: number) => readable(bytes / 1024);

const weightTable = (weights: readonly Weight[]): Table => ({
  heading: 'Weight',
  columns: ['file', 'KB', 'KB compressed'],
  rows: weights.map(({ file, bytes, compressed }) => [file, kilobytes(bytes), kilobytes(compressed)]),
});

/** Files of the page among the loaded, without the requests of the API. */
const filesOf = (loaded: readonly Loaded[]) => loaded.filter(({ url }) => !/\/v1\/|\/health\//.test(url));

function requestTable(turns: ReadonlyMap<string, readonly Turn[]>): Table {
  const names = [FORM_SLOWED, SCREEN_SLOWED];
  return {
    heading: 'Requests until it is drawn',
    columns: ['', 'files', 'KB', 'requests of the API'],
    rows: names.map((name) => {
      const { loaded = [] } = turns.get(name)![0]!;
      const files = filesOf(loaded);
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      return [name, String(files.length), kilobytes(bytes), String(loaded.length - files.length)];
    }),
  };
}

const timeTable = (turns: ReadonlyMap<string, readonly Turn[]>): Table => ({
  heading: `Until it is drawn; slowed: ${SLOWED}`,
  columns: ['', 'ms', 'smallest – largest', 'layout shift'],
  rows: Array.from(turns, ([name, all]) => {
    const shifts = all.flatMap(({ shift }) => shift ?? []);
    return [
      name,
      ...spread(all.map(({ ms }) => ms)),
      shifts.length === 0 ? '–' : readable(Math.max(...shifts)),
    ];
  }),
});

function goals(
  weights: readonly Weight[],
  turns: ReadonlyMap<string, readonly Turn[]>,
  { pageEpochs }: Effort,
): Goal[] {
  const compressed = (name: string) => weights.find(({ file }) => file === name)!.compressed / 1024;
  const all = [...turns.values()].flat();
  const loaded = turns.get(FORM_SLOWED)?.flatMap((turn) => turn.loaded ?? []);
  const origins = loaded && new Set(loaded.map(({ url }) => new URL(url).origin)).size;
  const files = turns.get(FORM_SLOWED)?.map((turn) => filesOf(turn.loaded ?? []).length);
  const time = (name: string) => {
    const measured = turns.get(name);
    return measured && median(measured.map(({ ms }) => ms));
  };
  return [
    { what: 'script of the form, KB compressed', measured: compressed('page.js'), atMost: 40 },
    {
      what: 'script of the other screens, KB compressed',
      measured: compressed('page-screens.js'),
      atMost: 75,
    },
    { what: 'style sheet, KB compressed', measured: compressed('page.css'), atMost: 6 },
    { what: 'files until the form is drawn', measured: files && Math.max(...files), atMost: 3 },
    { what: 'origins', measured: origins, atMost: 1 },
    { what: 'form drawn, ms', measured: time(FORM), atMost: 300 },
    { what: 'form drawn, slowed, ms', measured: time(FORM_SLOWED), atMost: 1500 },
    {
      what: 'largest layout shift',
      measured: all.length > 0 ? Math.max(...all.map(({ shift }) => shift ?? 0)) : undefined,
      atMost: 0.02,
    },
    { what: 'click → first epoch drawn, ms', measured: time(FIRST_EPOCH), atMost: 1000 },
    { what: `job of ${readable(pageEpochs)} epochs drawn, ms`, measured: time(LONG_JOB), atMost: 1000 },
  ];
}
