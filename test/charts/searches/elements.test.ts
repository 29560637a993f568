import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawSearchHistory } from '../../../src/charts/searches/history.ts';
import { drawSearchRungs } from '../../../src/charts/searches/rungs.ts';
import { drawSearchSlices } from '../../../src/charts/searches/slices.ts';
import { listElements, SMALL } from '../elements.ts';

const SEARCH = {
  subtitle: '',
  objective: { label: 'Loss', lowerIsBetter: true },
  scaleName: 'linear',
} as const;

test('the history of a search is a staircase of the best trial so far', () => {
  assert.equal(
    listElements(
      drawSearchHistory(
        { ...SEARCH, trials: [3, 4, 2, null, 0].map((value, i) => ({ number: i + 1, value })) },
        SMALL,
      ),
    ),
    `
path d=M27 164h238.7M27 136h238.7M27 108h238.7M27 80h238.7M27 52h238.7 stroke=grid>
g fill=muted text-anchor=end>
text x=21 y=167.7>0
text x=21 y=139.7>1
text x=21 y=111.7>2
text x=21 y=83.7>3
text x=21 y=55.7>4
text x=12 y=43 fill=muted>Loss
path d=M50.9 164v4M98.6 164v4M146.4 164v4M194.1 164v4M241.8 164v4 stroke=muted>
path d=M27 164h238.7 stroke=muted>
g fill=muted text-anchor=middle>
text x=50.9 y=180>1
text x=98.6 y=180>2
text x=146.4 y=180>3
text x=194.1 y=180>4
text x=241.8 y=180>5
text x=146.4 y=195 fill=muted text-anchor=middle>Trial
path d=M50.9 80h0M98.6 52h0M146.4 108h0M241.8 164h0 stroke=accent stroke-width=6 stroke-linecap=round stroke-opacity=0.6>
path d=M50.9 80h95.5v28h95.4v56h23.9 fill=none stroke=error stroke-width=2>
text x=271.7 y=167.7 fill=error>best 0`,
  );
});

test('trials that did not reach the last rung are paler', () => {
  assert.equal(
    listElements(
      drawSearchRungs(
        {
          ...SEARCH,
          rungs: [1, 2, 4],
          trials: [[4, 1, 2], [3, 2], [2, 1, 0], [null]].map((values, i) => ({ number: i + 1, values })),
        },
        SMALL,
      ),
    ),
    `
path d=M27 164h228.5M27 136h228.5M27 108h228.5M27 80h228.5M27 52h228.5 stroke=grid>
g fill=muted text-anchor=end>
text x=21 y=167.7>0
text x=21 y=139.7>1
text x=21 y=111.7>2
text x=21 y=83.7>3
text x=21 y=55.7>4
text x=12 y=43 fill=muted>Loss
path d=M52.4 164v4M153.9 164v4M255.5 164v4 stroke=muted>
path d=M27 164h228.5 stroke=muted>
g fill=muted text-anchor=middle>
text x=52.4 y=180>1 (4 trials)
text x=153.9 y=180>2 (3 trials)
text x=255.5 y=180>4 (2 trials)
text x=141.3 y=195 fill=muted text-anchor=middle>Epochs of the rung
path d=M52.4 80l101.5 28 fill=none stroke=muted stroke-width=1 stroke-opacity=0.55>
path d=M52.4 80h0M153.9 108h0 stroke=muted stroke-width=4 stroke-linecap=round stroke-opacity=0.55>
path d=M52.4 52l101.5 84l101.6-28M52.4 108l101.5 28l101.6 28 fill=none stroke=accent stroke-width=2 stroke-opacity=1>
path d=M52.4 52h0M153.9 136h0M255.5 108h0M52.4 108h0M153.9 136h0M255.5 164h0 stroke=accent stroke-width=5 stroke-linecap=round>
circle cx=255.5 cy=164 r=4.5 fill=error stroke=paper stroke-width=1.5>
text x=263.5 y=167.7 stroke=paper stroke-width=3 paint-order=stroke>trial 3: 0`,
  );
});

test('panels of slices are in rows and columns, with the values beside the first of a row', () => {
  assert.equal(
    listElements(
      drawSearchSlices(
        {
          ...SEARCH,
          best: 2,
          options: [
            { name: 'a', kind: 'linear', choices: [] },
            { name: 'b', kind: 'choices', choices: ['x', 'y'] },
            { name: 'c', kind: 'log', choices: [] },
          ],
          trials: [
            { number: 1, value: 4, settings: [0, 1, 1] },
            { number: 2, value: 2, settings: [1, 0, 100] },
          ],
        },
        { ...SMALL, height: 260 },
      ),
    ),
    `
path d=M27 108h135.5M27 52h135.5 stroke=grid>
g fill=muted text-anchor=end>
text x=21 y=111.7>2
text x=21 y=55.7>4
text x=12 y=43 fill=muted>Loss
path d=M35 108v4M154.5 108v4 stroke=muted>
path d=M27 108h135.5 stroke=muted>
g fill=muted text-anchor=middle>
text x=35 y=124>0
text x=154.5 y=124>1
text x=94.8 y=139 fill=muted text-anchor=middle>a
path d=M35 52h0 stroke=accent stroke-width=6 stroke-linecap=round stroke-opacity=0.6>
circle cx=154.5 cy=108 r=5 fill=error stroke=paper stroke-width=1.5>
path d=M176.5 108h135.5M176.5 52h135.5 stroke=grid>
path d=M214.4 108v4M274.1 108v4 stroke=muted>
path d=M176.5 108h135.5 stroke=muted>
g fill=muted text-anchor=middle>
text x=214.4 y=124>x
text x=274.1 y=124>y
text x=244.3 y=139 fill=muted text-anchor=middle>b
path d=M274.1 52h0 stroke=accent stroke-width=6 stroke-linecap=round stroke-opacity=0.6>
circle cx=214.4 cy=108 r=5 fill=error stroke=paper stroke-width=1.5>
path d=M27 206h135.5M27 150h135.5 stroke=grid>
g fill=muted text-anchor=end>
text x=21 y=209.7>2
text x=21 y=153.7>4
path d=M40.5 206v4M149.1 206v4 stroke=muted>
path d=M27 206h135.5 stroke=muted>
g fill=muted text-anchor=middle>
text x=40.5 y=222>1
text x=149.1 y=222>100
text x=94.8 y=237 fill=muted text-anchor=middle>c
path d=M40.5 150h0 stroke=accent stroke-width=6 stroke-linecap=round stroke-opacity=0.6>
circle cx=149.1 cy=206 r=5 fill=error stroke=paper stroke-width=1.5>`,
  );
});
