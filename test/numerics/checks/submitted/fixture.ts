/** Fixtures of scripts/fixtures/gradient_mistakes.py: gradients with typical mistakes. */
import { readFileSync } from 'node:fs';
import { compareSubmitted, type SubmittedReport } from '../../../../src/numerics/checks/submitted/compare.ts';
import type { GradientTask } from '../../../../src/numerics/checks/submitted/sources.ts';
import { type Architecture, type Block, blocks } from '../../../../src/numerics/network/architecture.ts';
import { dense } from '../../../support/dense.ts';
import { examplesOf, firstIndices } from '../../fixtures.ts';

type Gradient = 'right' | 'float32' | 'noMask' | 'noFirstMask' | 'otherLabels' | 'otherLabelsNoMask';

interface Fixture extends Readonly<Record<Gradient, number[]>> {
  readonly pixels: number[];
  readonly labels: number[];
  readonly parameters: number[];
}

interface DenseFixture extends Fixture {
  readonly sizes: number[];
  readonly activation: 'relu' | 'tanh';
}

const url = new URL('../../../fixtures/numerics/gradient-mistakes.json', import.meta.url);
const fixtures = JSON.parse(readFileSync(url, 'utf8')) as {
  dense: [DenseFixture, DenseFixture];
  convolutional: Fixture;
};

/** A network with tests of its gradients. */
function createSubject(fixture: Fixture, architecture: Architecture, activation: GradientTask['activation']) {
  const task: GradientTask = {
    architecture,
    activation,
    standardization: null,
    parameters: Float64Array.from(fixture.parameters),
    examples: examplesOf(fixture),
    indices: firstIndices(fixture.labels.length),
  };
  const all = new Map(blocks(architecture).map((block) => [block.name, block]));
  const copy = (name: Gradient) => Float64Array.from(fixture[name]);
  return {
    architecture,
    parameters: task.parameters,
    examples: task.indices.length,
    copy,
    /** The right gradient with some blocks changed in place. */
    change(
      changes: Readonly<Record<string, (numbers: Float64Array, block: Block) => void>>,
      from = copy('right'),
    ) {
      for (const [name, change] of Object.entries(changes)) {
        const block = all.get(name)!;
        change(from.subarray(block.start, block.end), block);
      }
      return from;
    },
    compare: (given: Float64Array): SubmittedReport => compareSubmitted(given, copy('right'), task),
  };
}

const [reluFixture, tanhFixture] = fixtures.dense;
/** 12-6-6-4, and 12-5-4. */
export const relu = createSubject(reluFixture, dense(reluFixture.sizes), 'relu');
export const tanh = createSubject(tanhFixture, dense(tanhFixture.sizes), 'tanh');
export const convolutional = createSubject(
  fixtures.convolutional,
  { inputShape: [6, 8, 3], convolutions: [[4]], norm: 'none', hidden: [5], classes: 3 },
  'relu',
);

/** `W1: kind`, with a factor, for each wrong block. */
export const findings = ({ blocks: reports }: SubmittedReport): string[] =>
  reports
    .filter(({ agrees }) => !agrees)
    .map(
      ({ name, hint }) =>
        `${name}: ${hint?.kind ?? 'unknown'}${hint?.factor === undefined ? '' : ` ${hint.factor}`}`,
    );

export const scale = (factor: number) => (numbers: Float64Array) => {
  for (let i = 0; i < numbers.length; i++) numbers[i]! *= factor;
};
