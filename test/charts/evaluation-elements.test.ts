import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawClassBars } from '../../src/charts/class-bars.ts';
import { drawConfusion } from '../../src/charts/confusions/matrix.ts';
import { drawCurves } from '../../src/charts/curves.ts';
import { drawReliability } from '../../src/charts/reliability.ts';
import { listElements, SMALL } from './elements.ts';

test('cells of a confusion matrix have whole tenths of a pixel, and their opacity is the root of a fraction of the row', () => {
  assert.equal(
    listElements(
      drawConfusion(
        {
          subtitle: '',
          classNames: ['0', '1'],
          matrix: [
            [3, 1],
            [0, 12],
          ],
        },
        SMALL,
      ),
    ),
    `
g transform=translate(27 74) scale(142.4 72)>
path d=M0 0h1 stroke=accent stroke-opacity=0.88>
path d=M1 0h1 stroke=error stroke-opacity=0.5>
path d=M1 1h1 stroke=accent stroke-opacity=1>
path d=M169.4 38V182M27 110H311.8 stroke=paper>
rect x=27 y=38 width=284.8 height=144 fill=none stroke=grid>
g text-anchor=middle font-size=11>
g fill=ink>
text x=240.6 y=77.7>1
g fill=on-area>
text x=98.2 y=77.7>3
text x=240.6 y=149.7>12
g fill=muted text-anchor=end>
text x=21 y=77.7>0
text x=21 y=149.7>1
g fill=muted text-anchor=middle>
text x=98.2 y=196>0
text x=240.6 y=196>1`,
  );
});

test('long names of classes are cut beside rows, and slanted below columns', () => {
  assert.equal(
    listElements(
      drawConfusion(
        {
          subtitle: '',
          classNames: ['0', '0'.repeat(30)],
          matrix: [
            [3, 1],
            [0, 12],
          ],
        },
        { ...SMALL, width: 124 },
      ),
    ),
    `
g transform=translate(50 58.1) scale(31 40.1)>
path d=M0 0h1 stroke=accent stroke-opacity=0.88>
path d=M1 0h1 stroke=error stroke-opacity=0.5>
path d=M1 1h1 stroke=accent stroke-opacity=1>
path d=M81 38V118.2M50 78.1H112 stroke=paper>
rect x=50 y=38 width=62 height=80.2 fill=none stroke=grid>
g text-anchor=middle font-size=11>
g fill=ink>
text x=96.5 y=61.7>1
g fill=on-area>
text x=65.5 y=61.7>3
text x=96.5 y=101.8>12
g fill=muted text-anchor=end>
text x=44 y=61.7>0
text x=44 y=101.8>000…
g fill=muted text-anchor=end>
text x=68.5 y=132.2 transform=rotate(-45 68.5 132.2)>0
text x=99.5 y=132.2 transform=rotate(-45 99.5 132.2)>00000000000…`,
  );
});

test('bars of a class take three quarters of its row', () => {
  assert.equal(
    listElements(
      drawClassBars(
        {
          subtitle: '',
          classes: [
            { className: '0', precision: 1, recall: 0.5, f1: 0.25 },
            { className: '1', precision: 0, recall: 0, f1: 0.5 },
          ],
        },
        SMALL,
      ),
    ),
    `
path d=M27 50v114M151.7 50v114M276.3 50v114 stroke=grid>
path d=M27 164v4M151.7 164v4M276.3 164v4 stroke=muted>
path d=M27 164h249.3 stroke=muted>
g fill=muted text-anchor=middle>
text x=27 y=180>0
text x=151.7 y=180>50
text x=276.3 y=180>100
text x=151.7 y=195 fill=muted text-anchor=middle>Score (%)
rect x=27 y=35 width=10 height=8 fill=first>
text x=41 y=43 fill=muted>precision
rect x=106.9 y=35 width=10 height=8 fill=second>
text x=120.9 y=43 fill=muted>recall
rect x=167.1 y=35 width=10 height=8 fill=third>
text x=181.1 y=43 fill=muted>F1
g fill=muted text-anchor=end>
text x=21 y=82.2>0
text x=21 y=139.2>1
path d=M27 57.1h249.3v13.3h-249.3ZM27 114.1h0v13.3h0Z fill=first>
g font-size=10>
text x=280.3 y=66.6>100.0
text x=31 y=123.6>0.0
path d=M27 71.4h124.7v13.2h-124.7ZM27 128.4h0v13.2h0Z fill=second>
g font-size=10>
text x=155.7 y=80.8>50.0
text x=31 y=137.8>0.0
path d=M27 85.6h62.4v13.3h-62.4ZM27 142.6h124.7v13.3h-124.7Z fill=third>
g font-size=10>
text x=93.4 y=95.1>25.0
text x=155.7 y=152.1>50.0`,
  );
});

test('curves are drawn in percent, with their names beside them and others in grey', () => {
  assert.equal(
    listElements(
      drawCurves(
        {
          subtitle: '',
          title: 't',
          xLabel: 'x',
          yLabel: 'y',
          reference: 'diagonal',
          curves: [
            { name: '0', x: [0, 0.5, 1], y: [0, 1, 1] },
            { name: '1', x: [0, 1], y: [1, 0] },
          ],
          others: [{ name: 'o', x: [0, null, 1], y: [0.5, 0.6, 0.5] }],
        },
        SMALL,
      ),
    ),
    `
path d=M41.1 164h235.9M41.1 108h235.9M41.1 52h235.9 stroke=grid>
g fill=muted text-anchor=end>
text x=35.1 y=167.7>0
text x=35.1 y=111.7>50
text x=35.1 y=55.7>100
text x=12 y=43 fill=muted>y
path d=M41.1 164v4M159 164v4M277 164v4 stroke=muted>
path d=M41.1 164h235.9 stroke=muted>
g fill=muted text-anchor=middle>
text x=41.1 y=180>0
text x=159 y=180>50
text x=277 y=180>100
text x=159 y=195 fill=muted text-anchor=middle>x
path d=M41.1 164l235.9-112 stroke=muted stroke-dasharray=5 4>
g fill=none stroke=muted stroke-opacity=0.5>
path d=M41.1 108h235.9h0>
path d=M41.1 164l117.9-112h118h0 fill=none stroke-linejoin=round stroke=first stroke-width=2>
path d=M41.1 164h0M159 52h0M277 52h0 stroke=first stroke-width=5 stroke-linecap=round>
path d=M41.1 52l235.9 112h0 fill=none stroke-linejoin=round stroke=second stroke-width=2 stroke-dasharray=7 3>
path d=M41.1 52h0M277 164h0 stroke=second stroke-width=5 stroke-linecap=round>
path d=M283 60h18 stroke=first stroke-width=2>
text x=305 y=63.7 fill=first>0
path d=M283 76h18 stroke=second stroke-width=2 stroke-dasharray=7 3>
text x=305 y=79.7 fill=second>1`,
  );
});

test('fitted curves fill the plot, and their lines leave out points closer than 1.5 pixels', () => {
  assert.equal(
    listElements(
      drawCurves(
        {
          subtitle: '',
          title: 't',
          xLabel: 'x',
          yLabel: 'y',
          fitted: true,
          curves: [{ name: '0', x: [0, 0.2, 0.2005, 0.4], y: [0.5, 0.5, 0.5, 0.9] }],
        },
        SMALL,
      ),
    ),
    `
path d=M34.1 164h242.9M34.1 136h242.9M34.1 108h242.9M34.1 80h242.9M34.1 52h242.9 stroke=grid>
g fill=muted text-anchor=end>
text x=28.1 y=167.7>50
text x=28.1 y=139.7>60
text x=28.1 y=111.7>70
text x=28.1 y=83.7>80
text x=28.1 y=55.7>90
text x=12 y=43 fill=muted>y
path d=M34.1 164v4M94.8 164v4M155.5 164v4M216.2 164v4M277 164v4 stroke=muted>
path d=M34.1 164h242.9 stroke=muted>
g fill=muted text-anchor=middle>
text x=34.1 y=180>0
text x=94.8 y=180>10
text x=155.5 y=180>20
text x=216.2 y=180>30
text x=277 y=180>40
text x=155.5 y=195 fill=muted text-anchor=middle>x
g fill=none stroke=muted stroke-opacity=0.5>
path d=M34.1 164h121.4l121.5-112h0 fill=none stroke-linejoin=round stroke=first stroke-width=2>
path d=M34.1 164h0M155.5 164h0M155.8 164h0M277 52h0 stroke=first stroke-width=5 stroke-linecap=round>
path d=M283 60h18 stroke=first stroke-width=2>
text x=305 y=63.7 fill=first>0`,
  );
});

test('a reliability diagram has the numbers of images below, if it is high enough', () => {
  assert.equal(
    listElements(
      drawReliability(
        {
          subtitle: '',
          expectedCalibrationError: 0.1,
          bins: [
            { from: 0, to: 0.5, count: 0, confidence: null, accuracy: null },
            { from: 0.5, to: 1, count: 4, confidence: 0.75, accuracy: 0.5 },
          ],
        },
        { ...SMALL, height: 282 },
      ),
    ),
    `
path d=M41.1 178h262.9M41.1 115h262.9M41.1 52h262.9 stroke=grid>
g fill=muted text-anchor=end>
text x=35.1 y=181.7>0
text x=35.1 y=118.7>50
text x=35.1 y=55.7>100
text x=12 y=43 fill=muted>Accuracy (% of the images of a bin)
path d=M173.1 115h130.4v63h-130.4Z fill=accent fill-opacity=0.45>
path d=M41.1 178l262.9-126 stroke=muted stroke-dasharray=5 4>
path d=M238.3 115h0 stroke=error stroke-width=6 stroke-linecap=round>
path d=M41.1 234h262.9M41.1 204h262.9 stroke=grid>
g fill=muted text-anchor=end>
text x=35.1 y=237.7>0
text x=35.1 y=207.7>5
text x=12 y=195 fill=muted>Images
path d=M173.1 210h130.4v24h-130.4Z fill=muted>
path d=M41.1 234v4M172.6 234v4M304 234v4 stroke=muted>
path d=M41.1 234h262.9 stroke=muted>
g fill=muted text-anchor=middle>
text x=41.1 y=250>0
text x=172.6 y=250>50
text x=304 y=250>100
text x=172.6 y=265 fill=muted text-anchor=middle>Confidence: probability of the predicted class…`,
  );
});
