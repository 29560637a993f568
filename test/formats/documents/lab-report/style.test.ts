import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { THEMES } from '../../../../src/charts/parts/theme.ts';
import { REPORT_POLICY, STYLE, VARIABLES } from '../../../../src/formats/documents/lab-report/style.ts';

test('each colour of both themes is a variable, and charts use the variables', () => {
  const [light, dark] = Array.from(STYLE.matchAll(/:root\{([^}]+)\}/g), ([, colours]) => colours!.split(';'));
  for (const [declared, theme] of [
    [light!, THEMES.light],
    [dark!, THEMES.dark],
  ] as const) {
    assert.equal(declared.length, 15);
    assert.ok(declared.includes(`--paper:${theme.paper}`) && declared.includes(`--on-area:${theme.onArea}`));
    assert.ok(declared.includes(`--series-7:${theme.series[7]}`));
  }
  const { series, ...single } = VARIABLES;
  const used = [...Object.values(single), ...series].map((colour) => /^var\((.+)\)$/.exec(colour)![1]!);
  assert.deepEqual(used.toSorted(), light!.map((colour) => colour.split(':')[0]!).toSorted());
});

test('the policy allows the style by its digest, and no other source but embedded images', () => {
  const digest = createHash('sha256').update(STYLE).digest('base64');
  assert.equal(
    REPORT_POLICY,
    `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`,
  );
});
