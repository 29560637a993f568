import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectureOf, describeArchitecture } from '../../../src/domain/models/architecture.ts';

test('a version describes its architecture by the sizes of its layers, and is read back from them', () => {
  for (const [architecture, layerSizes] of [
    [
      { inputShape: [28, 28], convolutions: [], norm: 'none', hidden: [40, 20], classes: 10 },
      [784, 40, 20, 10],
    ],
    [{ inputShape: [28, 28], convolutions: [], norm: 'none', hidden: [], classes: 3 }, [784, 3]],
    [
      // Each stage halves the sides: 16 × 14 × 14 and 32 × 7 × 7 values.
      { inputShape: [28, 28], convolutions: [[16], [32, 32]], norm: 'group', hidden: [5], classes: 10 },
      [784, 3136, 1568, 5, 10],
    ],
  ] as const) {
    const { inputShape, convolutions, norm } = architecture;
    const described = describeArchitecture(architecture);
    assert.deepEqual(described, { inputShape, convolutions, norm, layerSizes });
    assert.deepEqual(architectureOf(described), architecture);
  }
});
