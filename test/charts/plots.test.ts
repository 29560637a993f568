import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DARK_AREA } from '../../src/charts/confusions/matrix.ts';
import { drawEpochs } from '../../src/charts/epochs.ts';
import { lossLevels } from '../../src/charts/loss-surface.ts';
import { THEMES, type Theme } from '../../src/charts/parts/theme.ts';
import { renderSvg } from '../../src/charts/render.ts';
import { drawSgdPath } from '../../src/charts/sgd-path.ts';
import { epochRecords, epochsInput, LIGHT, sampleCharts, sgdPathInput } from './samples.ts';

const SMALL = { width: 240, height: 160, theme: THEMES.dark };

test('every chart is at most 25 KB of SVG without styles or scripts, with title and description', () => {
  for (const options of [LIGHT, SMALL]) {
    const again = sampleCharts(options);
    for (const [name, chart] of sampleCharts(options)) {
      const svg = renderSvg(chart);
      assert.ok(svg.length <= 25 * 1024, `${name}: ${svg.length} bytes`);
      assert.match(
        svg,
        /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" .*?<title>[^<]+<\/title><desc>[^<]+<\/desc>/,
        name,
      );
      assert.doesNotMatch(svg, /<style|style=|class=|<script|href|url\(|NaN|Infinity|undefined|null/, name);
      // An attribute without a value is not XML.
      assert.doesNotMatch(svg, /<\w+(?: [\w-]+="[^"<]*")* [\w-]+[ />]/, name);
      const attributes = svg.replaceAll(/>[^<]*<|opacity="[^"]*"/g, '');
      assert.doesNotMatch(attributes, /\.\d\d/, `${name}: digits`);
      assert.equal(svg, renderSvg(again.get(name)!), name);
    }
  }
});

test('labels of lines are broken where they do not fit', () => {
  const input = epochsInput(4, 2);
  const names = ['learning rate 0.1, hidden 40', 'learning rate 0.3, hidden 300'];
  const trainings = input.trainings.map((training, i) => ({ ...training, name: names[i]! }));
  const svg = renderSvg(drawEpochs('loss', { ...input, trainings }, { ...LIGHT, width: 300 }));
  const texts = [...svg.matchAll(/<text [^>]*>([^<]+)</g)].map(([, text]) => text);
  assert.deepEqual(texts.slice(-4), ['learning rate 0.1,', 'hidden 40', 'learning rate 0.3,', 'hidden 300']);
});

test('a symbol at the first epoch is beside the ticks of the axis', () => {
  const marks = [{ x: 1, kind: 'warning' }] as const;
  const svg = renderSvg(drawEpochs('loss', { ...epochsInput(4), marks }, LIGHT));
  const symbol = Number(/d="M([\d.]+) [\d.]+l5 10h-10"/.exec(svg)?.[1]);
  const ticks = Number(/text-anchor="end"><text x="([\d.]+)"/.exec(svg)?.[1]);
  assert.ok(symbol - 5 >= ticks + 6, `${symbol} ${ticks}`);
});

test('series have a contrast of at least 4.5 : 1, text and areas of 3 : 1, on both themes', () => {
  for (const [name, theme] of Object.entries<Theme>(THEMES)) {
    for (const colour of [...theme.series, theme.ink, theme.muted]) {
      assert.ok(contrast(colour, theme.paper) >= 4.5, `${name} ${colour}`);
    }
    for (const colour of [theme.accent, theme.error]) {
      assert.ok(contrast(colour, theme.paper) >= 3, `${name} ${colour}`);
      assert.ok(contrast(theme.onArea, colour) >= 4.5, `${name} text on ${colour}`);
    }
    assert.equal(new Set(theme.series).size, 8);
    // Numbers on the shades of a confusion matrix.
    for (const area of [theme.accent, theme.error]) {
      for (let opacity = 1 / 16; opacity <= 1; opacity += 1 / 16) {
        const text = opacity >= DARK_AREA ? theme.onArea : theme.ink;
        const ratio = contrast(text, blend(area, theme.paper, opacity));
        assert.ok(ratio >= 3, `${name} ${text} on ${area} of ${opacity}: ${ratio}`);
      }
    }
  }
});

/** WCAG 2.2, contrast ratio. */
function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high! + 0.05) / (low! + 0.05);
}

function blend(colour: string, paper: string, opacity: number): string {
  const channels = [1, 3, 5].map((at) => {
    const [over, under] = [colour, paper].map((each) => Number.parseInt(each.slice(at, at + 2), 16));
    return Math.round(opacity * over! + (1 - opacity) * under!)
      .toString(16)
      .padStart(2, '0');
  });
  return `#${channels.join('')}`;
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** The path data of the lines, and of the dots, which have no length. */
function strokes(svg: string): { readonly lines: string[]; readonly dots: string[] } {
  const paths = (width: string) =>
    Array.from(
      svg.matchAll(new RegExp(`<path d="([^"]+)"(?: stroke="[^"]+")? stroke-width="${width}"`, 'g')),
      ([, d]) => d!,
    );
  return { lines: paths('2'), dots: paths('5') };
}

test('one epoch is a dot, a missing value is a gap, and a lone value between gaps is a dot', () => {
  const draw = (records: ReturnType<typeof epochRecords>) =>
    renderSvg(drawEpochs('loss', { ...epochsInput(1), trainings: [{ name: 'a', records }] }, LIGHT));
  const one = draw(epochRecords(1));
  assert.deepEqual(
    strokes(one).dots.map((d) => /^M[\d.]+ [\d.]+h0$/.test(d)),
    [true, true, true],
  );
  assert.match(one, />1<\/text>.*>Epoch<\/text>/, 'the epoch is a tick');

  const records = epochRecords(60).map((record, i) => ({
    ...record,
    validationLoss: i >= 20 && i <= 24 && i !== 22 ? null : record.validationLoss,
  }));
  const { lines, dots } = strokes(draw(records));
  assert.deepEqual(
    lines.map((d) => d.split('M').length - 1),
    [1, 3, 1],
  );
  assert.equal(dots.length, 1, 'only the lone value');
});

test('values that are not positive are gaps on a logarithmic scale, and a chart without values is drawn', () => {
  const records = epochRecords(50).map((record, i) => ({
    ...record,
    gradientNorm: i === 10 ? 0 : 10 ** -(i % 5),
  }));
  const input = { ...epochsInput(1), trainings: [{ name: 'a', records }], scaleName: 'log' as const };
  const svg = renderSvg(drawEpochs('gradient-norm', input, LIGHT));
  assert.equal(strokes(svg).lines[0]!.split('M').length - 1, 2);
  for (const tick of ['1', '0.1', '0.01', '0.001', '1e−4']) assert.ok(svg.includes(`>${tick}</text>`), tick);
  const zero = {
    ...input,
    trainings: [{ name: 'a', records: records.map((each) => ({ ...each, gradientNorm: 0 })) }],
  };
  assert.match(renderSvg(drawEpochs('gradient-norm', zero, LIGHT)), />gradient: no value</);
});

test('draws one line for each of several trainings, from the validation figures if it has any', () => {
  const svg = renderSvg(drawEpochs('accuracy', epochsInput(10, 8), LIGHT));
  assert.match(svg, />Accuracy by epoch, validation images</);
  assert.equal(new Set(svg.match(/stroke-dasharray="[^"]+"/g)).size, 7, 'dashes differ');
  const [first, second] = epochsInput(10, 2).trainings;
  const bare = {
    ...second!,
    records: second!.records.map((each) => ({ ...each, validationAccuracy: null })),
  };
  const mixed = { ...epochsInput(10), trainings: [first!, bare] };
  assert.match(renderSvg(drawEpochs('accuracy', mixed, LIGHT)), />Accuracy by epoch, training images</);
});

test('a test line states how many looks at the test set it represents', () => {
  const draw = (testLooks: number, chart: 'loss' | 'weight-norm' = 'loss', trainings = 1) =>
    renderSvg(drawEpochs(chart, { ...epochsInput(10, trainings), testLooks }, LIGHT));
  assert.match(draw(1200), />The test line represents 1,200 looks at the test set\.</);
  assert.match(draw(1), />The test line represents one look at the test set\.</);
  assert.doesNotMatch(draw(10, 'weight-norm'), /look/);
  assert.doesNotMatch(draw(10, 'loss', 2), /look/);
});

test('marks point out epochs, at most one of a kind per pixel, and none outside the plot', () => {
  const marks = [
    { x: 2, kind: 'warning' },
    { x: 2, kind: 'warning' },
    { x: 3, kind: 'best' },
    { x: 4, kind: 'cursor' },
    { x: 99, kind: 'cursor' },
  ] as const;
  const plain = renderSvg(drawEpochs('loss', epochsInput(5), LIGHT));
  const marked = renderSvg(drawEpochs('loss', { ...epochsInput(5), marks }, LIGHT));
  const paths = (svg: string) => svg.match(/<path/g)!.length;
  // The symbol of the warning, symbol and line of the best epoch, and the line of the cursor.
  assert.equal(paths(marked) - paths(plain), 4);
});

test('names cannot leave their text, and characters that XML forbids are replaced', () => {
  const subtitle = '<script>alert("&")</script>\u0001\ud800]]>';
  const svg = renderSvg(drawEpochs('loss', { ...epochsInput(2), subtitle }, { ...LIGHT, width: 1000 }));
  assert.ok(svg.includes('&lt;script>alert(&quot;&amp;&quot;)&lt;/script>\ufffd\ufffd]]&gt;</text>'), svg);
  assert.doesNotMatch(svg, /<script/);
});

test('levels of a loss lie between its smallest and its largest positive value', () => {
  assert.deepEqual(
    lossLevels([
      [0.1, null],
      [10, -1],
    ]),
    [0.2, 0.5, 1, 2, 5],
  );
});

test('contours lie where the loss has their level, and the ends state both losses', () => {
  const input = sgdPathInput();
  // The loss is 1 + x, so each contour is a vertical line.
  const axis = Array.from({ length: 11 }, (_, i) => i);
  const surface = { x: axis, y: axis, loss: axis.map(() => axis.map((x) => 1 + x)) };
  const points = [
    { epoch: 0, x: 9, y: 5, loss: 12, planeLoss: 10 },
    { epoch: 2, x: 1, y: 5, loss: 2, planeLoss: 2.5 },
  ];
  const svg = renderSvg(drawSgdPath({ ...input, points, surface }, LIGHT));
  assert.match(
    svg,
    /Start, epoch 0: loss 12 \(10 on the plane\)\. End, epoch 2: loss 2 \(2\.5 on the plane\)\./,
  );
  assert.doesNotMatch(svg, /repetition/);
  const differing = drawSgdPath({ ...input, points, surface, agrees: false }, LIGHT);
  assert.match(renderSvg(differing), />The repetition ended with other parameters/);
  const [start, end] = Array.from(svg.matchAll(/<circle cx="([\d.]+)"/g), ([, x]) => Number(x));
  const perUnit = (start! - end!) / 8;
  const levels = Array.from(
    svg.matchAll(/<rect [^>]*fill-opacity[^>]*><\/rect><text [^>]*>([\d.]+)</g),
    ([, level]) => Number(level),
  ).sort((a, b) => a - b);
  assert.ok(levels.length >= 5);
  const contours = Array.from(
    svg.matchAll(/<path d="(M[^"]+Z)"><\/path>/g),
    ([, d]) => horizontalExtent(d!)[0],
  );
  assert.equal(contours.length, levels.length);
  for (const [i, level] of levels.entries()) {
    const expected = end! + (level - 2) * perUnit;
    assert.ok(Math.abs(contours[i]! - expected) < perUnit / 50, `${level}: ${contours[i]}, not ${expected}`);
  }
});

/** Smallest and largest x of relative path data. */
function horizontalExtent(d: string): [number, number] {
  let x = 0;
  const visited: number[] = [];
  for (const [, command, first] of d.matchAll(/([Mlhv])(-?[\d.]*)/g)) {
    if (command === 'M') x = Number(first);
    else if (command !== 'v') x += Number(first);
    visited.push(x);
  }
  return [Math.min(...visited), Math.max(...visited)];
}
