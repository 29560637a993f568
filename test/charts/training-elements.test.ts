import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawDeadUnits, listHidden } from '../../src/charts/dead-units.ts';
import { drawLines } from '../../src/charts/lines.ts';
import { drawSgdPath } from '../../src/charts/sgd-path.ts';
import { listElements, SMALL } from './elements.ts';
import { epochRecords } from './samples.ts';

const deadUnits = (units: readonly number[], ...fractions: readonly number[][]) => {
  const records = epochRecords(fractions.length).map((each, i) => ({ ...each, deadUnits: fractions[i]! }));
  const hidden = listHidden({ convolutions: [], hidden: [...units] });
  return listElements(drawDeadUnits({ subtitle: '', trainings: [{ name: 'a', hidden, records }] }, SMALL));
};

test('lines have dots, marks and labels that are pushed apart', () => {
  assert.equal(
    listElements(
      drawLines(
        {
          subtitle: '',
          title: 't',
          xLabel: 'x',
          yLabel: 'y',
          scaleName: 'linear',
          lines: [
            { name: '0', x: [1, 2, 3], y: Float64Array.of(0, 1, 2) },
            { name: '1', x: [1, 2, 3], y: Float64Array.of(4, Number.NaN, 2) },
          ],
          marks: [
            { x: 1, kind: 'cursor' },
            { x: 2, kind: 'best' },
            { x: 3, kind: 'warning' },
          ],
        },
        SMALL,
      ),
    ),
    `
path d=M27 164h239.7M27 136h239.7M27 108h239.7M27 80h239.7M27 52h239.7 stroke=grid>
g fill=muted text-anchor=end>
text x=21 y=167.7>0
text x=21 y=139.7>1
text x=21 y=111.7>2
text x=21 y=83.7>3
text x=21 y=55.7>4
text x=12 y=43 fill=muted>y
path d=M33 164v4M149.9 164v4M266.7 164v4 stroke=muted>
path d=M27 164h239.7 stroke=muted>
g fill=muted text-anchor=middle>
text x=33 y=180>1
text x=149.9 y=180>2
text x=266.7 y=180>3
text x=146.9 y=195 fill=muted text-anchor=middle>x
g fill=none stroke=first stroke-linejoin=round>
path d=M33 164l116.9-28l116.8-28 stroke-width=2>
path d=M33 164h0M149.9 136h0M266.7 108h0 stroke=first stroke-width=5 stroke-linecap=round>
g fill=none stroke=second stroke-linejoin=round>
path d=M33 52ZM266.7 108Z stroke-width=2 stroke-dasharray=7 3>
path d=M33 52h0M266.7 108h0 stroke=second stroke-width=5 stroke-linecap=round>
path d=M33 52v112 stroke=ink>
path d=M150 52v112 stroke=muted stroke-dasharray=2 3>
path d=M150 47l5 5l-5 5l-5-5 fill=ink>
path d=M267 47l5 10h-10 fill=error>
path d=M269.7 108l15-6.5 fill=none stroke=first stroke-width=1.5>
text x=288.7 y=105.2 fill=first>0: 2
path d=M269.7 108l15 6.5 fill=none stroke=second stroke-width=1.5 stroke-dasharray=7 3>
text x=288.7 y=118.2 fill=second>1: 2`,
  );
});

test('each layer has a strip of dead units', () => {
  assert.equal(
    deadUnits([4, 2], [0, 0.5], [0.5, 1]),
    `
text x=12 y=43 fill=muted>Dead units of each hidden layer (full height: 100 %)
rect x=59.7 y=52 width=212.6 height=50 fill=grid fill-opacity=0.5>
path d=M59.7 102l212.6-25v25h-212.6Z fill=error stroke=error stroke-width=1.5>
text x=53.7 y=80.7 fill=muted text-anchor=end>layer 1
text x=280.3 y=80.7>2 of 4
rect x=59.7 y=108 width=212.6 height=50 fill=grid fill-opacity=0.5>
path d=M59.7 133l212.6-25v50h-212.6Z fill=error stroke=error stroke-width=1.5>
text x=53.7 y=136.7 fill=muted text-anchor=end>layer 2
text x=280.3 y=136.7>2 of 2
path d=M59.7 164v4M272.3 164v4 stroke=muted>
path d=M59.7 164h212.6 stroke=muted>
g fill=muted text-anchor=middle>
text x=59.7 y=180>1
text x=272.3 y=180>2
text x=166 y=195 fill=muted text-anchor=middle>Epoch`,
  );
});

test('a single epoch of dead units is a bar', () => {
  assert.equal(
    deadUnits([4], [0.5]),
    `
text x=12 y=43 fill=muted>Dead units of each hidden layer (full height: 100 %)
rect x=59.7 y=52 width=212.6 height=106 fill=grid fill-opacity=0.5>
path d=M144.7 105h42.6v53h-42.6Z fill=error stroke=error stroke-width=1.5>
text x=53.7 y=108.7 fill=muted text-anchor=end>layer 1
text x=280.3 y=108.7>2 of 4
path d=M166 164v4 stroke=muted>
path d=M59.7 164h212.6 stroke=muted>
g fill=muted text-anchor=middle>
text x=166 y=180>1
text x=166 y=195 fill=muted text-anchor=middle>Epoch`,
  );
});

test('a path ends in rings, and levels of the loss have equal ratios', () => {
  assert.equal(
    listElements(
      drawSgdPath(
        {
          subtitle: '',
          points: [
            { epoch: 0, x: 4, y: 4, loss: 5, planeLoss: 4 },
            { epoch: 1, x: 1, y: 2, loss: 2, planeLoss: 1 },
          ],
          surface: {
            x: [0, 1, 2, 3, 4],
            y: [0, 4],
            loss: [
              [1, 2, 3, 4, 5],
              [1, 2, 3, 4, 5],
            ],
          },
          explainedVariance: [0.75],
          examples: 1000,
          split: 'train',
        },
        SMALL,
      ),
    ),
    `
g fill=muted text-anchor=end>
text x=21 y=167.7>0
text x=21 y=139.7>1
text x=21 y=111.7>2
text x=21 y=83.7>3
text x=21 y=55.7>4
text x=12 y=43 fill=muted>Principal component 2
g fill=accent fill-opacity=0.09 stroke=accent stroke-opacity=0.35 stroke-width=0.5>
path d=M255.4 52v112h0h-57.1h-57.1h-57.1h-52.3v-112h52.3h57.1h57.1h57.1Z>
path d=M255.4 52v112h0h-57.1h-57.1h-57.1h-41.5v-112h41.5h57.1h57.1h57.1Z>
path d=M255.4 52v112h0h-57.1h-57.1h-57.1h-28.8v-112h28.8h57.1h57.1h57.1Z>
path d=M255.4 52v112h0h-57.1h-57.1h-57.1h-13.9v-112h13.9h57.1h57.1h57.1Z>
path d=M255.4 52v112h0h-57.1h-57.1h-53.5v-112h53.5h57.1h57.1Z>
path d=M255.4 52v112h0h-57.1h-57.1h-32.9v-112h32.9h57.1h57.1Z>
path d=M255.4 52v112h0h-57.1h-57.1h-8.8v-112h8.8h57.1h57.1Z>
path d=M255.4 52v112h0h-57.1h-37.5v-112h37.5h57.1Z>
path d=M255.4 52v112h0h-57.1h-4.2v-112h4.2h57.1Z>
path d=M255.4 52v112h0h-22.1v-112h22.1Z>
path d=M27 164v4M84.1 164v4M141.2 164v4M198.3 164v4M255.4 164v4 stroke=muted>
path d=M27 164h228.4 stroke=muted>
g fill=muted text-anchor=middle>
text x=27 y=180>0
text x=84.1 y=180>1
text x=141.2 y=180>2
text x=198.3 y=180>3
text x=255.4 y=180>4
text x=141.2 y=195 fill=muted text-anchor=middle>Principal component 1 (75.0 % of the v…
g fill=none stroke=error stroke-linejoin=round stroke-linecap=round>
path d=M255.4 52l-171.3 56 stroke-width=1>
path d=M255.4 52h0M84.1 108h0 stroke=error stroke-width=4 stroke-linecap=round>
circle cx=255.4 cy=52 r=5 fill=paper stroke=error stroke-width=2>
text x=245.4 y=55.7 font-weight=bold text-anchor=end stroke=paper stroke-width=3 paint-order=stroke>start: 5
circle cx=84.1 cy=108 r=5 fill=paper stroke=error stroke-width=2>
text x=94.1 y=111.7 font-weight=bold text-anchor=start stroke=paper stroke-width=3 paint-order=stroke>end: 2
text x=267.4 y=43 fill=muted>Loss
rect x=267.4 y=52 width=12 height=10.2 fill=accent fill-opacity=0.59>
text x=285.4 y=65.8 fill=muted>4.61
rect x=267.4 y=62.2 width=12 height=10.2 fill=accent fill-opacity=0.55>
rect x=267.4 y=72.4 width=12 height=10.2 fill=accent fill-opacity=0.51>
text x=285.4 y=86.2 fill=muted>3.34
rect x=267.4 y=82.5 width=12 height=10.2 fill=accent fill-opacity=0.46>
rect x=267.4 y=92.7 width=12 height=10.2 fill=accent fill-opacity=0.41>
text x=285.4 y=106.6 fill=muted>2.42
rect x=267.4 y=102.9 width=12 height=10.2 fill=accent fill-opacity=0.36>
rect x=267.4 y=113.1 width=12 height=10.2 fill=accent fill-opacity=0.3>
text x=285.4 y=126.9 fill=muted>1.76
rect x=267.4 y=123.3 width=12 height=10.2 fill=accent fill-opacity=0.23>
rect x=267.4 y=133.5 width=12 height=10.2 fill=accent fill-opacity=0.16>
text x=285.4 y=147.3 fill=muted>1.27
rect x=267.4 y=143.6 width=12 height=10.2 fill=accent fill-opacity=0.08>`,
  );
});

const lines = (...drawn: readonly { readonly x: readonly number[]; readonly y: readonly number[] }[]) =>
  listElements(
    drawLines(
      {
        ...{ subtitle: '', title: 't', xLabel: 'x', yLabel: 'y', scaleName: 'linear' },
        lines: drawn.map(({ x, y }, n) => ({ name: `${n}`, x, y: Float64Array.from(y) })),
      },
      { ...SMALL, width: 2000 },
    ),
  );

test('an axis reaches over all lines, over one point alone, and is there without a line', () => {
  const ticks = (text: string) =>
    Array.from(text.matchAll(/text x=[\d.]+ y=180>(\S+)/g), ([, label]) => label);
  const none = { x: [], y: [] };
  assert.deepEqual(ticks(lines()), ['1']);
  assert.deepEqual(ticks(lines(none)), ['1']);
  assert.deepEqual(ticks(lines({ x: [7], y: [1] })), ['7']);
  assert.deepEqual(ticks(lines({ x: [4, 6], y: [1, 1] }, none, { x: [3, 5], y: [1, 1] })), [
    '3',
    '4',
    '5',
    '6',
  ]);
});

test('a line of more than a thousand points is thin, and has dots where a point stands alone', () => {
  const line = (length: number) =>
    lines({ x: Array.from({ length }, (_, i) => i), y: Array.from({ length }, (_, i) => i % 2) });
  const widths = (text: string) => Array.from(text.matchAll(/stroke-width=([\d.]+)/g), ([, width]) => width);
  assert.deepEqual([widths(line(1000))[0], widths(line(1001))[0]], ['2', '1']);
  const alone = Array.from({ length: 41 }, (_, i) => (i === 1 || i === 3 || i === 40 ? Number.NaN : 1));
  // Of 0 to 40, only the points 0 and 2 have no neighbour.
  const dotted = lines({ x: alone.map((_, i) => i), y: alone });
  assert.equal(/path d=((?:M[\d. ]+h0)+) /.exec(dotted)![1]!.match(/M/g)!.length, 2);
});

test('a path of one point has one ring', () => {
  const point = { epoch: 0, x: 0.5, y: 0.5, loss: 2, planeLoss: 1 };
  const drawn = (points: number) =>
    listElements(
      drawSgdPath(
        {
          subtitle: '',
          points: Array.from({ length: points }, () => point),
          surface: {
            x: [0, 1],
            y: [0, 1],
            loss: [
              [1, 2],
              [2, 3],
            ],
          },
          explainedVariance: [0.5, 0.5],
          examples: 10,
          split: 'train',
        },
        SMALL,
      ),
    );
  const rings = (text: string) => Array.from(text.matchAll(/>(start|end): 2/g), ([, name]) => name);
  assert.deepEqual(rings(drawn(1)), ['start']);
  assert.deepEqual(rings(drawn(2)), ['start', 'end']);
});
